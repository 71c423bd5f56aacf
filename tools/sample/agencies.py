"""Agencies with their services. The names are real; the frequency and the amounts of their payments are invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Agency:
    """An agency.

    `dollars`: budget of a year. `services`: number and name, such as "661 Public Right-of-Way Cleaning". `weight`: share of
    the payments, 0 if the checkbook has none. `variants`: other spellings of the name.
    """

    name: str
    dollars: int
    services: tuple[str, ...]
    weight: int = 0
    variants: tuple[str, ...] = ()
    funds: tuple[str, ...] = ("General",)

    def numbered_services(self) -> list[tuple[str, str]]:
        """Return the number and the name of each service."""
        return [(service[:3], service[4:]) for service in self.services]


AGENCIES = (
    Agency(
        "Public Works",
        640_000_000,
        (
            "661 Public Right-of-Way Cleaning",
            "662 Vacant and Abandoned Property Cleaning and Boarding",
            "663 Waste Removal and Recycling",
            "664 Waste Re-Use and Disposal",
            "671 Water Management",
            "672 Water and Wastewater Consumer Services",
            "673 Wastewater Management",
            "674 Surface Water Management",
            "675 Engineering and Construction Management - Water and Wastewater",
        ),
        weight=17,
        variants=("DPW", "PUBLIC WORKS", "Department of Public Works"),
        funds=("General", "Wastewater Utility", "Water Utility", "Stormwater Utility"),
    ),
    Agency(
        "Transportation",
        260_000_000,
        (
            "500 Street Lighting",
            "548 Conduits",
            "682 Parking Management",
            "683 Street Management",
            "684 Traffic Management",
            "688 Snow and Ice Control",
            "689 Vehicle Impounding and Disposal",
            "690 Sustainable Transportation",
            "692 Bridge and Culvert Management",
            "697 Traffic Safety",
        ),
        weight=12,
        variants=("DOT", "TRANSPORTATION", "Dept of Transportation"),
        funds=("General", "Parking Management", "Conduit Enterprise", "Federal"),
    ),
    Agency(
        "General Services",
        150_000_000,
        (
            "189 Fleet Management",
            "730 Public and Private Energy Performance",
            "731 Facilities Management",
            "734 Capital Projects Division - Design and Construction",
        ),
        weight=9,
        variants=("DGS", "GENERAL SERVICES"),
        funds=("General", "Internal Service"),
    ),
    Agency(
        "Police",
        560_000_000,
        (
            "621 Administrative Bureau",
            "622 Police Patrol",
            "623 Criminal Investigation Division",
            "626 Data Driven Strategies",
            "635 Recruitment Section",
            "642 Crime Laboratory and Evidence Control",
        ),
        weight=8,
        variants=("Baltimore Police Department", "BPD", "POLICE"),
        funds=("General", "State", "Federal"),
    ),
    Agency(
        "Health",
        165_000_000,
        (
            "303 Clinical Services",
            "305 Healthy Homes",
            "308 Maternal and Child Health",
            "310 School Health Services",
            "315 Emergency Services - Health",
            "716 Animal Services",
            "720 HIV Treatment Services for the Uninsured",
            "721 Senior Centers",
        ),
        weight=8,
        variants=("BCHD", "HEALTH DEPARTMENT", "Health "),
        funds=("General", "Federal", "State", "Special Grant"),
    ),
    Agency(
        "Recreation and Parks",
        62_000_000,
        (
            "645 Aquatics",
            "646 Park Maintenance",
            "647 Youth and Adult Sports",
            "648 Community Recreation Centers",
            "653 Park Programs and Events",
            "654 Urban Forestry",
        ),
        weight=6,
        variants=("BCRP", "RECREATION & PARKS", "Recreation & Parks"),
        funds=("General", "State"),
    ),
    Agency(
        "Housing and Community Development",
        90_000_000,
        (
            "593 Community Support Projects",
            "738 Weatherization Services",
            "742 Promote Homeownership",
            "745 Housing Code Enforcement",
            "748 Affordable Housing",
            "750 Housing Rehabilitation Services",
        ),
        weight=6,
        variants=("DHCD", "HCD", "HOUSING & COMMUNITY DEVELOPMENT"),
        funds=("General", "Federal", "Special Revenue"),
    ),
    Agency(
        "Fire",
        315_000_000,
        (
            "600 Administration - Fire",
            "602 Fire Suppression and Emergency Rescue",
            "608 Emergency Management",
            "609 Emergency Medical Services",
            "611 Fire Code Enforcement",
            "614 Fire Communications and Dispatch",
        ),
        weight=5,
        variants=("Fire Department", "BCFD", "FIRE"),
        funds=("General", "State", "Special Revenue"),
    ),
    Agency(
        "M-R: Office of Information and Technology",
        48_000_000,
        ("757 CitiWatch", "802 Administration - BCIT", "805 Enterprise IT Delivery Services"),
        weight=6,
        variants=("BCIT", "M-R Office of Information and Technology", "Information Technology"),
        funds=("General", "Internal Service"),
    ),
    Agency(
        "M-R: Office of Homeless Services",
        64_000_000,
        (
            "356 Administration - Homeless Services",
            "893 Homeless Prevention and Support Services for the Homeless",
            "894 Outreach to the Homeless",
        ),
        weight=5,
        variants=("MOHS", "M-R Office of Homeless Services", "Mayor's Office of Homeless Services"),
        funds=("General", "Federal", "State"),
    ),
    Agency(
        "M-R: Office of Employment Development",
        34_000_000,
        (
            "791 BCPS Alternative Options Academy for Youth",
            "792 Workforce Services for TANF Recipients",
            "798 Youth Works Summer Job Program",
        ),
        weight=4,
        variants=("MOED", "M-R Office of Employment Development"),
        funds=("General", "Federal", "State"),
    ),
    Agency(
        "M-R: Office of Children and Family Success",
        45_000_000,
        ("109 Administration - Children and Family Success", "605 Head Start", "741 Community Action Partnership"),
        weight=3,
        variants=("MOCFS", "M-R Office of Children and Family Success"),
        funds=("General", "Federal"),
    ),
    Agency(
        "M-R: Office of Neighborhood Safety and Engagement",
        26_000_000,
        (
            "617 Criminal Justice Coordination",
            "618 Neighborhood Safety and Engagement",
            "619 Community Empowerment and Opportunity",
        ),
        weight=3,
        variants=("MONSE", "M-R Office of Neighborhood Safety and Engagement"),
        funds=("General", "State", "Federal"),
    ),
    Agency(
        "Finance",
        42_000_000,
        (
            "148 Revenue Collection",
            "150 Treasury and Debt Management",
            "699 Procurement",
            "702 Accounts Payable",
            "704 Accounting",
        ),
        weight=4,
        variants=("FINANCE", "Department of Finance", "Bureau of Procurement"),
        funds=("General", "Internal Service"),
    ),
    Agency(
        "Law",
        17_000_000,
        ("860 Administration - Law", "861 Controversies", "862 Transactions"),
        weight=3,
        variants=("LAW", "Law Department"),
    ),
    Agency(
        "Enoch Pratt Free Library",
        46_000_000,
        ("788 Information Services",),
        weight=3,
        variants=("ENOCH PRATT FREE LIBRARY", "Pratt Library"),
        funds=("General", "State"),
    ),
    Agency(
        "Human Resources",
        14_000_000,
        ("770 Administration - Human Resources", "771 Benefits Administration", "772 Civil Service Management"),
        weight=2,
        variants=("DHR", "HUMAN RESOURCES"),
    ),
    Agency(
        "Planning",
        9_000_000,
        (
            "761 Development Oversight and Project Support",
            "762 Historic Preservation",
            "763 Comprehensive Planning and Resource Management",
        ),
        weight=2,
        variants=("PLANNING", "Department of Planning"),
        funds=("General", "State"),
    ),
    Agency(
        "State's Attorney",
        60_000_000,
        ("115 Prosecution of Criminals", "781 Administration - State's Attorney", "786 Victim and Witness Services"),
        weight=0,
        variants=("STATE'S ATTORNEY", "State's Attorney's Office"),
        funds=("General", "State"),
    ),
    Agency(
        "Sheriff",
        27_000_000,
        ("882 Deputy Sheriff Enforcement", "883 Service of Protective and Peace Orders"),
    ),
    Agency(
        "M-R: Debt Service",
        95_000_000,
        ("123 General Debt Service",),
    ),
    Agency(
        "M-R: Baltimore City Public Schools",
        330_000_000,
        ("352 Baltimore City Public Schools",),
    ),
    Agency(
        "Courts: Circuit Court",
        27_000_000,
        ("110 Circuit Court",),
        funds=("General", "Federal", "State"),
    ),
    Agency(
        "Comptroller",
        18_000_000,
        ("130 Executive Direction and Control - Comptroller", "131 Audits", "133 Municipal Telephone Exchange"),
    ),
)
