"""Statistical tests of payments. Tests that SQL can say are in `sql/marts/spending`."""
