"""The public site: static pages and files made from a release, and a server for looking at them on this machine."""

from civic_pipeline.publish.site.build import Built, build_site

__all__ = ["Built", "build_site"]
