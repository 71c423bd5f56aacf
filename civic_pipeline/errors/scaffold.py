"""Errors of `civic capture` and `civic add`."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class AddressUnknown(CivicError):
    """The given text is not the address of a dataset that can be read."""

    exit_code = 2

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"{text!r} is not a dataset that can be read: {why}. Use one of these:\n"
            "  a Socrata dataset: its page, or an address such as https://data.cityofchicago.org/d/s4vu-giwb\n"
            "  an ArcGIS layer: https://.../FeatureServer/0 or .../MapServer/0\n"
            "  an ArcGIS item: its 32-digit id, its page, or its page on a hub (.../datasets/...)\n"
            "  an OpenDataSoft dataset: https://data.longbeach.gov/explore/dataset/service-requests/\n"
            "  a CSV, XLSX or GeoJSON file: its web address, or its path on this machine"
        )


class AddressAmbiguous(CivicError):
    """The address has several layers. `layers`: address of each layer -> its name."""

    exit_code = 2

    def __init__(self, url: str, layers: dict[str, str]) -> None:
        listed = "\n".join(f"  {address} ({name})" for address, name in layers.items())
        super().__init__(
            f"{url} has {len(layers)} layers. Choose one by the number at the end of its address:\n{listed}"
        )


class AddressPrivate(CivicError):
    """The address leads to this machine or a private network."""

    exit_code = 2

    def __init__(self, text: str, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"{text!r} leads to {where}, which is not on the public internet. To read from this host on purpose, use"
            " --allow-private-hosts."
        )


class AlreadyThere(CivicError):
    """The file or folder to write already exists."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} already exists, so nothing was written. Choose another name, or remove it first.")
