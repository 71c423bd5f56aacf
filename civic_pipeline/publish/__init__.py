"""What leaves the warehouse: answers, the data dictionary, where it stands and what changed, the files themselves, notices."""
