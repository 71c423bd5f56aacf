"""The terminal output of a run: messages of our own code, without Dagster's events, which the UI shows."""

import logging

import dagster as dg


class _OwnMessages(logging.Filter):
    """Drop Dagster's own events: they have stack traces of failures that our messages already explain."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "dagster_meta", {}).get("dagster_event") is None


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()
        return f"{self.formatTime(record, '%H:%M:%S')} {'' if record.levelno < logging.WARNING else record.levelname + ' '}{message}"


@dg.logger
def console(_: dg.InitLoggerContext) -> logging.Logger:
    """Plain lines on the terminal."""
    logger = logging.getLogger("civic_pipeline.console")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Plain())
        handler.addFilter(_OwnMessages())
        logger.addHandler(handler)
    return logger


@dg.definitions
def loggers() -> dg.Definitions:
    return dg.Definitions(loggers={"console": console})
