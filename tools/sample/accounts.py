"""Funds and objects of expenditure, with the names and codes that Baltimore uses."""

# Fund -> its code.
FUNDS: dict[str, int] = {
    "General": 1001,
    "Conduit Enterprise": 2024,
    "Internal Service": 2030,
    "Wastewater Utility": 2070,
    "Water Utility": 2071,
    "Stormwater Utility": 2072,
    "Parking Enterprise": 2075,
    "Parking Management": 2076,
    "Federal": 4000,
    "State": 5000,
    "Special Revenue": 6000,
    "Special Grant": 7000,
}

# The checkbook charges it; no published budget has it.
NOT_BUDGETED = "Internal Service"

# Object -> (name, share of a service's budget, its subobjects).
OBJECTS: dict[int, tuple[str, float, tuple[tuple[int, str], ...]]] = {
    1: ("Salaries", 0.42, ((101, "Permanent Full-time"), (102, "Temporary"), (105, "Overtime"))),
    2: (
        "Other Personnel Costs",
        0.17,
        (
            (202, "Employees Retirement - City Share (Regular)"),
            (205, "Medical and Hospital Insurance"),
            (231, "FICA - Medicare Only"),
        ),
    ),
    3: (
        "Contractual Services",
        0.24,
        (
            (311, "Rental of Business Machines"),
            (316, "Maintenance and Repair of Real Property"),
            (326, "Other Professional Services"),
            (351, "Payments to Sub-contractors"),
        ),
    ),
    4: (
        "Materials and Supplies",
        0.06,
        ((404, "Heating Fuels"), (406, "Business Machine Supplies"), (408, "Books and Periodicals")),
    ),
    5: (
        "Equipment - $4,999 or less",
        0.02,
        ((501, "Office Furniture and Equipment"), (508, "Computer Software")),
    ),
    6: ("Equipment - $5,000 and over", 0.02, ((604, "Motor Vehicles"),)),
    7: (
        "Grants, Subsidies and Contributions",
        0.07,
        ((701, "Support for Individuals and Organizations"), (740, "Workers' Comp - Direct")),
    ),
}
DEBT_SERVICE = (8, "Debt Service", ((810, "Interest (Bonded City Debt)"), (811, "Principal (Bonded City Debt)")))
TRANSFERS = (0, "Transfers", (0, "Unallocable Credits (General)"))
