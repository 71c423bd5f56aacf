"""Failures of `civic capture` and `civic add`."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class AddressUnknown(CivicError):
    """Somebody pasted something that names no dataset we can read."""

    exit_code = 2

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"{text!r} is no dataset that can be read: {why}. Give one of these:\n"
            "  a Socrata dataset: its page, or an address such as https://data.cityofchicago.org/d/s4vu-giwb\n"
            "  an ArcGIS layer: https://.../FeatureServer/0 or .../MapServer/0\n"
            "  an ArcGIS item: its 32-digit id, its page, or its page on a hub (.../datasets/...)\n"
            "  an OpenDataSoft dataset: https://data.longbeach.gov/explore/dataset/service-requests/\n"
            "  a file: CSV, XLSX or GeoJSON, by its web address or its path here"
        )


class AddressAmbiguous(CivicError):
    """A pasted address holds several layers. `layers` are their addresses and names."""

    exit_code = 2

    def __init__(self, url: str, layers: dict[str, str]) -> None:
        listed = "\n".join(f"  {address} ({name})" for address, name in layers.items())
        super().__init__(f"{url} holds {len(layers)} layers. Choose one, by the number at its end:\n{listed}")


class AddressPrivate(CivicError):
    """A pasted address leads into this machine or a private network."""

    exit_code = 2

    def __init__(self, text: str, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"{text!r} leads to {where}, which is not on the public internet. If you mean to read from there, give"
            " --allow-private-hosts."
        )


class AlreadyThere(CivicError):
    """What would be written exists already."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already, so nothing was written. Choose another name, or remove it first.")
