"""Measures with the defects of the real export, one case each. Some titles and ids are real; every figure is invented."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Owner:
    """The agency that answers for a measure, and the service that it is about."""

    agency: str
    agency_code: str
    service_code: str
    service: str


@dataclass(frozen=True)
class Case:
    """A measure and its records: one per plan year, which differ in the columns of `later`."""

    title: str
    owner: Owner
    measure_id: str | None
    figures: Mapping[str, str]
    direction: str | None = "Increase"
    kind: str = "count"
    interval: str | None = "Cumulative"
    measure_type: str = "Output"
    is_equity: bool = False
    explanation: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, str | None] = field(default_factory=dict)
    plan_years: tuple[str, ...] = ("FY26", "FY27")
    defects: tuple[str, ...] = ()


_HOUSING = Owner(
    "Baltimore City Department of Housing and Community Development", "AGC3100", "SRV0748", "Affordable Housing"
)
_CODE = replace(_HOUSING, service_code="SRV0745", service="Housing Code Enforcement")
_DPW = Owner("Baltimore City Department of Public Works", "AGC6100", "SRV0661", "Public Right-of-Way Cleaning")
_WASTE = replace(_DPW, service_code="SRV0663", service="Waste Removal and Recycling")
_FINANCE = Owner("Baltimore City Department of Finance", "AGC2300", "SRV0702", "Accounts Payable")
_FACILITIES = Owner("Baltimore City Department of General Services", "AGC2600", "SRV0731", "Facilities Management")
_FLEET = replace(_FACILITIES, service_code="SRV0189", service="Fleet Management")
_FORESTRY = Owner("Baltimore City Recreation and Parks", "AGC6300", "SRV0654", "Urban Forestry")
_CALLS = Owner(
    "Baltimore City Office of Information and Technology", "AGC4303", "SRV0805", "Enterprise IT Delivery Services"
)
_MONSE = Owner(
    "Mayor's Office of Neighborhood Safety and Engagement",
    "AGC4346",
    "SRV0619",
    "Community Empowerment and Opportunity",
)
_COMPTROLLER = Owner("Comptroller", "AGC1200", "SRV0902", "Account Payable")
_ART = Owner(
    "Create Baltimore", "AGC4356", "SRV0493", "Art and Culture Grants"
)  # a service that the list of services lacks
_MWBE = Owner(
    "Mayor's Office of Small and Minority Business Advocacy and Development", "AGC4310", "SRV0834",
    "Office of Small and Minority Business Advocacy and Development",
)  # fmt: skip

# Defects that several cases have.
_MIXED = "percents in mixed notation in one record"
_SILENT = "active measures with a target and no actual"
_STOPPED = "deprecated measures that stop after FY2023"
_ACTUALS = "actuals that two plan years state differently"


def _years(*actuals: str, targets: tuple[str, ...] = ()) -> dict[str, str]:
    """Actuals from fiscal year 2021, targets from 2024."""
    written = {f"FY {21 + position} Actual": actual for position, actual in enumerate(actuals)}
    return written | {f"FY {24 + position} Target": target for position, target in enumerate(targets)}


def _quarters(*values: str) -> dict[str, str]:
    return {f"FY 25 Q{position}": value for position, value in enumerate(values, 1)}


# fmt: off
CASES = (
    # How our own tables compare: see data/seeds/kpi_methods.
    Case("Total # Vacant Building Notices", _HOUSING, "7513", _years("460", "450", "430", "415", "401", targets=("400", "390", "380")),
         direction="Decrease", interval="Snapshot", measure_type="Outcome", explanation="Counted on 1 July. The list & its map agree."),
    Case("# of certified MBE's and WBE's", _MWBE, "8343", _years("", "", "1,310", "1,290", "1,262", targets=("1,565", "1,300")),
         interval="Snapshot", defects=("counts written with a comma",)),
    Case("Annual % of procurement spent with M/WBEs", _MWBE, "8344",
         {"FY 24 Target": "30%", "FY 25 Target": "31%", "FY 26 Target": "0.31", "FY 26 Q1": "41250000.5", "FY 25 Q3": "0.0956"},
         kind="percent", measure_type="Outcome", explanation="We have the spend but not the percentage.",
         defects=("dollars in a percent measure", _MIXED, _SILENT)),
    Case("% of invoices paid within 30 days of City receipt", _COMPTROLLER, "1200-902-A-1",
         _years(".65", ".75", "0.7", ".75", ".83", targets=("0.9", "0.9", "0.9")), kind="percent", interval="Period",
         measure_type="Effectiveness"),
    Case("% of service requests closed on time", _CODE, "7451",
         _years("80%", "82", "0.81", "79%", "0.84", targets=("85%", "0.85", "85")), kind="percent", interval="Monthly",
         measure_type="Effectiveness", defects=(_MIXED,)),
    # Notation
    Case("% of plans reviewed in time", _CODE, "7514", _years("99%", "0.84", "93", "104%", "100%", targets=("95%", "1")),
         kind="percent", defects=(_MIXED,)),
    Case("% of properties with a fire", _CODE, "7515", _years("2", "3%", "2.4", "0.5", "2%", targets=("3%", "2%")), kind="percent",
         direction="Decrease", measure_type="Outcome", defects=(_MIXED,)),
    Case("% of participants who completed a plan", _MONSE, "6192",
         _years("No Data", "New", "0.5", "0.55", "0.6", targets=("0.5", "0.6", "0.65")) | {"FY 26 Q1": "9999", "FY 26 Q2": "9999"},
         kind="Percent", is_equity=True, defects=("measures with 9999 for none",)),
    Case("# of grants from other sources ($)", _HOUSING, "7516",
         _years("$2,360,000 ", "1.15977e+007", "$12,100,000", "12500000", "13000000", targets=("12000000", "13500000")),
         kind="currency", columns={"Performance Measure Type": "Output\u00a0"}, later={"Percent or Count": "count"},
         defects=("amounts in scientific notation", "units that differ between plan years")),
    Case("Recidivism rate of repeat nuisances", _HOUSING, "7517",
         _years("N/A", "TBD", "-", "6500-7000", "5100", targets=("6500-7000", "New Target for FY 25")), direction="Decrease",
         columns={"Performance Measure Type": "Ouput", "Interval": "Cumalitve"}, defects=("figures that are a range or a remark",)),
    # Keys
    Case("# of families housed through emergency services", _HOUSING, None, _years("", "", "40", "44", "51", targets=("45", "50")),
         plan_years=("FY26",), defects=("measures without an id",)),
    Case("# of homes weatherized", _HOUSING, None, _years("", "", "400", "390", "410", targets=("400", "400")), plan_years=("FY26",),
         defects=("measures without an id",)),
    Case("% of routine maintenance completed on time", _FACILITIES, "7311",
         _years("", "", "0.6", "0.58", "0.61", targets=("0.65", "0.65")), kind="percent",
         defects=("ids that an agency gave to two measures",)),
    Case("% of preventive maintenance completed on time", _FACILITIES, "7311",
         _years("", "", "0.7", "0.72", "0.75", targets=("0.7", "0.7")), kind="percent"),
    Case("# of trees planted", _DPW, "1172", _years("900", "950", "1000", "1040", "990", targets=("1000", "1000"))),
    Case("# of trees planted", _FORESTRY, "1172", _years("200", "250", "260", "255", "270", targets=("250", "260")),
         defects=("ids that two agencies use",)),
    # Conflicts between plan years
    Case("# of inspections", _CODE, "7518", _years("5000", "5100", "5200", "5300", "5400", targets=("5000", "5200", "5300")),
         later={"FY 25 Actual": "6100", "FY 26 Target": "6000", "Modified": "2026-01-15 09:00:00"},
         defects=(_ACTUALS, "targets that two plan years state differently")),
    Case("% of permits issued within 30 days", _CODE, "7519", _years("0.9", "0.91", "0.92", "0.93", "0", targets=("0.9", "0.9")),
         kind="percent", later={"FY 25 Actual": "94%"}, defects=(_ACTUALS,)),
    Case("# of PMs completed", _FLEET, "1895", _years("", "", "70", "74", "76", targets=("70", "75")),
         later={"Performance Measure": "# of routine services completed", "Measure Formula": "Another formula",
                "Data Source": "Another system", "Performance Measure Type": "Outcome", "Desired Outcome": None},
         defects=("definitions that differ between plan years",)),
    Case("# of vehicles out of service", _FLEET, "1896", _years("50", "48", "52", "55", "50", targets=("50", "50")),
         direction="Increase", later={"Desired Outcome": "Decrease"}, defects=("directions that differ between plan years",)),
    # Directions
    Case("% of budget held in reserve", _FINANCE, "7002", _years("8%", "8%", "8.1%", "8%", "8.2%", targets=("8%", "8%")),
         kind="percent", direction="Maintain", interval="Snapshot", measure_type="Outcome"),
    Case("# of homicides", _MONSE, "6193", _years("9", "7", "4", "2", "0", targets=("3", "2")), direction="Decrease",
         measure_type="Outcome"),
    Case("# of staff trained", _MONSE, "6194", _years("10", "12", "14", "15", "16", targets=("15", "16")), direction=None,
         measure_type="Input", defects=("measures without a direction",)),
    Case("Change in cases (%)", _MONSE, "6195", _years("", "", "-0.2", "-0.1", "-0.05", targets=("-0.15", "-0.1")), kind="percent",
         measure_type="Outcome", defects=("negative targets",)),
    Case("Decrease waiting time of callers in minutes", _CALLS, "3112", _years("5", "4", "4", "3", "3", targets=("4", "4")),
         direction="increase", interval="Monthly", defects=("directions that contradict the title",)),
    # How quarters make a year
    Case("# of visitors, last quarter", _DPW, "1173",
         _years("80", "85", "90", "95", "100", targets=("90", "90")) | _quarters("70", "80", "90", "100"),
         defects=("cumulative counts whose year is the last quarter",)),
    Case("# of crews, largest quarter", _DPW, "1174",
         _years("40", "42", "44", "43", "45", targets=("44", "45")) | _quarters("41", "45", "40", "39"),
         defects=("cumulative counts whose year is the largest quarter",)),
    Case("Average # of days to collect", _WASTE, "1175",
         _years("4", "5", "4", "4", "5", targets=("5", "5")) | _quarters("4", "6", "3", "7"), direction="Decrease",
         defects=("cumulative counts whose year is the mean of the quarters",)),
    Case("# of tons collected", _WASTE, "1176",
         _years("900", "910", "920", "930", "777", targets=("900", "900")) | _quarters("200", "210", "220", "230"),
         defects=("cumulative counts whose year follows no rule",)),
    # Lifecycle
    Case("% of general funds expended (unaudited)", _FINANCE, "7003", _years("0.9", "0.92", "0.95"), kind="percent", direction=None,
         columns={"Deprecated": "Yes"}, defects=(_STOPPED,)),
    Case("# of audits", _FINANCE, "7004", _years("3", "4", "4"),
         columns={"Deprecated": "yes", "Measure Request": "Deprecate",
                  "Measure Request Notes": "Replaced by 7005, which counts follow-ups too"},
         defects=(_STOPPED, "deprecated measures whose notes name a successor")),
    Case("# of audits and follow-ups", _FINANCE, "7005", _years("", "", "", "9", "11", targets=("8", "10", "12")),
         columns={"Status": "New", "Measure Request": "Keep"}),
    Case("# of youth served", _MONSE, "6196", _years("100", "120", "130", "140", targets=("150", "160", "170")), is_equity=True,
         measure_type="Outcome", defects=(_SILENT,)),
    Case("# of partners", _MONSE, "6197", _years("4", targets=("5", "6", "6")), defects=(_SILENT,)),
    Case("# of murals", _ART, "4356-493-A-2", _years("", "", "", "5", "6"), plan_years=("FY27",), interval=None,
         defects=("measures without a target",)),
)
# fmt: on
