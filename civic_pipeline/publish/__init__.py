"""Output of the warehouse: query results as files, the data dictionary, answers with charts, and the HTTP server for releases."""
