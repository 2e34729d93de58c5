"""Options from files: `churnkit.toml` here, then the user's own file. A flag and the environment go before both.

A file holds the long names of options as keys (`horizon = 90`, `activity-window = 180`). A key that is no option is
an error with its line, because a misspelt option that is silently ignored is worse than none.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import typer

from churnkit.errors import ConfigError

PROJECT_FILE = "churnkit.toml"
ORIGINS = "churnkit.config.origins"
_NOT_IN_FILES = frozenset({"config", "help", "version", "sources"})


def user_file(environment: Mapping[str, str]) -> Path | None:
    """The user's own file, None where there is no home."""
    base = environment.get("XDG_CONFIG_HOME")
    if base:
        return Path(base) / "churnkit" / "config.toml"
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) / ".config" / "churnkit" / "config.toml" if home else None


def use_config(context: typer.Context, path: str | None) -> str | None:
    """Callback of --config: makes what the files say the defaults of this command.

    Raises:
        ConfigError: The file that was named is missing, is no TOML, or has a key that is no option.
    """
    if context.resilient_parsing:
        return path
    known = _known_options(context)
    origins: dict[str, str] = {}
    settings: dict[str, object] = {}
    for file in _files(path):
        for key, value, origin in _read(file, known):
            settings.setdefault(key, value)
            origins.setdefault(key, origin)
    flags = {param.name for param in context.command.params if getattr(param, "is_flag", False)}
    context.default_map = {key: value if key in flags else _text(value) for key, value in settings.items()}
    context.meta[ORIGINS] = origins
    return path


def _known_options(context: typer.Context) -> set[str]:
    commands = getattr(context.find_root().command, "commands", {})
    names = {param.name for command in commands.values() for param in command.params if param.name}
    return names - _NOT_IN_FILES


def _files(path: str | None) -> list[Path]:
    """The files to read, the one that counts most first."""
    if path is not None:
        if not Path(path).is_file():
            raise ConfigError(f"there is no configuration file {path}", hint="name a file that exists: --config FILE")
        files = [Path(path)]
    else:
        files = [Path(PROJECT_FILE)]
    own = user_file(os.environ)
    return [file for file in [*files, *([own] if own else [])] if file.is_file()]


def _read(file: Path, known: set[str]) -> list[tuple[str, object, str]]:
    import tomllib

    try:
        text = file.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is no TOML: {error}", hint="a line reads like: horizon = 90") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}", hint="make it readable, or remove it") from None
    found = []
    for key, value in table.items():
        origin = f"{file}:{_line_of(key, text)}"
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(f"{origin}: there is no option {key!r}", hint=_nearest(name, known))
        if isinstance(value, dict):
            raise ConfigError(f"{origin}: {key!r} is a table, not a value", hint=f"write it as: {key} = ...")
        found.append((name, value, origin))
    return found


def _line_of(key: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.split("=")[0].strip().strip("[]\"'") == key:
            return number
    return 1


def _nearest(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0].replace('_', '-')}?" if near else "`churnkit score --help` lists the options"


def _text(value: object) -> object:
    """A value as the command line would give it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if isinstance(value, bool) else str(value)
