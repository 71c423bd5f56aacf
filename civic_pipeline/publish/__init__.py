"""What leaves the warehouse: the data dictionary, and notices to people."""
