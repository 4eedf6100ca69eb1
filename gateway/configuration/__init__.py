"""Configuration: `fanlight.toml` and the environment in, one frozen `Settings` out.

Decides where settings come from and which of two wins. Refuses a configuration with any flaw, and
then names all of them, each with its key and its remedy.
"""

from gateway.configuration.demo import DEMO_SITE, demo_folder, demo_settings
from gateway.configuration.flaws import ConfigurationError, Flaw
from gateway.configuration.follow import with_port
from gateway.configuration.parse import parse_settings
from gateway.configuration.setting import Setting
from gateway.configuration.source import (
    CONFIG_NAME,
    environment,
    examine_settings,
    find_config,
    read_settings,
)
from gateway.configuration.table import SETTINGS
from gateway.configuration.variables import VARIABLES, Variable

__all__ = [
    "CONFIG_NAME",
    "DEMO_SITE",
    "SETTINGS",
    "VARIABLES",
    "ConfigurationError",
    "Flaw",
    "Setting",
    "Variable",
    "demo_folder",
    "demo_settings",
    "environment",
    "examine_settings",
    "find_config",
    "parse_settings",
    "read_settings",
    "with_port",
]
