"""Tables that need a library of statistics, geometry or record linkage. Each function gets Arrow tables and returns one.

A contract names the function in `made_by` (ADR 0026). This room imports nothing else of the package.
"""
