"""Output of the warehouse: query results as files, the data dictionary, and the HTTP server for releases."""
