"""Funds and objects of expenditure, with the names that Baltimore uses."""

# Fund name -> (fund id, detailed fund id, detailed fund description, fund type).
FUNDS: dict[str, tuple[str, str, str, str]] = {
    "General": ("1001", "1001", "General", "General"),
    "Parking Management": ("2076", "2076", "Parking Management", "Special Purpose"),
    "Conduit Enterprise": ("2024", "2024", "Conduit Enterprise", "Enterprise"),
    "Wastewater Utility": ("2070", "2070", "Wastewater Utility", "Enterprise"),
    "Water Utility": ("2071", "2071", "Water Utility", "Enterprise"),
    "Stormwater Utility": ("2072", "2072", "Stormwater Utility", "Enterprise"),
    "Internal Service": ("2030", "2030", "Internal Service", "Internal Service"),
    "Federal": ("4000", "480001", "Federal Grants", "Grant"),
    "State": ("5000", "580001", "State Grants", "Grant"),
    "Special Revenue": ("6001", "680001", "Special Revenue", "Grant"),
    "Special Grant": ("6000", "680002", "Special Grants", "Grant"),
}

# Object -> (name, share of a service's budget, sub-objects).
OBJECTS: dict[int, tuple[str, float, tuple[tuple[str, str], ...]]] = {
    1: ("Salaries", 0.42, (("101", "Permanent Full-time"), ("108", "Permanent Part-time"), ("161", "Overtime"))),
    2: (
        "Other Personnel Costs",
        0.17,
        (("201", "Retirement"), ("205", "Health Insurance"), ("233", "Social Security")),
    ),
    3: (
        "Contractual Services",
        0.24,
        (
            ("318", "Professional Services"),
            ("326", "Other Contractual Services"),
            ("335", "Rental of Equipment"),
            ("396", "Software"),
        ),
    ),
    4: (
        "Materials and Supplies",
        0.06,
        (("401", "General Office Supplies"), ("410", "Fuel"), ("426", "Operating Supplies")),
    ),
    5: ("Equipment - $4,999 or less", 0.02, (("503", "Computers"), ("560", "Other Equipment"))),
    6: ("Equipment - $5,000 and over", 0.02, (("604", "Vehicles"),)),
    7: ("Grants, Subsidies and Contributions", 0.07, (("701", "Grants"), ("740", "Self-Insurance"))),
}
