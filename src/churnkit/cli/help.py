"""How help looks: plain text in sections, fast, the same in a pipe. Rich is not loaded for it."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from typer import Context
from typer.core import TyperCommand, TyperGroup

_ARGUMENTS = "Arguments"
_OPTIONS = "Options"
_LAST = "Run"

Function = Callable[..., None]


class Command(TyperCommand):
    """A command whose help keeps the lines of its examples and groups its options."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """What the usage line shows: `[OPTIONS] ORDERS...`."""
        return [self.options_metavar or "", *(_argument_name(param) for param in self.params if _is_argument(param))]

    def format_help_text(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Writes the docstring: paragraphs filled, indented lines as they are."""
        _write_text(self.help, formatter)

    def format_options(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Writes the arguments, the command's own options, then the shared ones in their sections."""
        sections: dict[str, list[tuple[str, str]]] = {_ARGUMENTS: [], _OPTIONS: []}
        last = []
        for param in self.get_params(ctx):
            if _is_argument(param):
                sections[_ARGUMENTS].append((_argument_name(param), getattr(param, "help", "")))
            elif (record := param.get_help_record(ctx)) is not None:
                panel = getattr(param, "rich_help_panel", None) or _OPTIONS
                if panel == _LAST or param.name == "help":
                    last.append(record)
                else:
                    sections.setdefault(panel, []).append(record)
        _write_sections(sections | {_LAST: last}, formatter)


class Door(TyperGroup):
    """The group of all commands. A command is built when it is asked for; the help lists them in panels."""

    def get_params(self, ctx: Context) -> list[Any]:  # type: ignore[override]
        """The flags of the door; a flag that has no default would load pydantic to find out what None means."""
        params = super().get_params(ctx)
        for param in params:
            param.default = False
        return list(params)

    def add_lazily(self, function: Function, panel: str, build: Callable[[Function, str], TyperCommand]) -> None:
        """Registers a function as the command of its name."""
        lazy = self.commands if isinstance(self.commands, _Lazily) else _Lazily()
        lazy.add(function, panel, build)
        self.commands = lazy

    def format_help_text(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Writes the docstring: paragraphs filled, indented lines as they are."""
        _write_text(self.help, formatter)

    def format_options(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Writes the commands first, then the few options of the door itself."""
        sections: dict[str, list[tuple[str, str]]] = {}
        assert isinstance(self.commands, _Lazily)
        for name, (function, panel, _) in self.commands.functions.items():
            sections.setdefault(panel, []).append((name, _first_line(function)))
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx)) is not None]
        _write_sections(sections | {_OPTIONS: records}, formatter)

    def format_epilog(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Writes the closing text."""
        _write_text(self.epilog, formatter)


class _Lazily(dict[str, Any]):
    """Commands by name, each built at the first look: nine of ten are never used in a run."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: dict[str, tuple[Function, str, Callable[[Function, str], TyperCommand]]] = {}

    def add(self, function: Function, panel: str, build: Callable[[Function, str], TyperCommand]) -> None:
        self.functions[function.__name__] = (function, panel, build)
        self[function.__name__] = None

    def __getitem__(self, name: str) -> TyperCommand:
        if super().__getitem__(name) is None:
            function, panel, build = self.functions[name]
            self[name] = build(function, panel)
        command: TyperCommand = super().__getitem__(name)
        return command

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - this is that method

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]


def _first_line(function: Function) -> str:
    return (inspect.getdoc(function) or "").split("\n")[0]


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _argument_name(param: Any) -> str:
    name = str(param.metavar or param.name.upper())
    return f"{name}..." if param.nargs == -1 else name


def _write_sections(sections: Mapping[str, list[tuple[str, str]]], formatter: Any) -> None:
    for title, records in sections.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records, col_max=24)


def _write_text(text: str | None, formatter: Any) -> None:
    for paragraph in _paragraphs(inspect.cleandoc(text or "")):
        formatter.write_paragraph()
        if any(line.startswith(" ") for line in paragraph):
            formatter.write("".join(f"{line}\n" for line in paragraph))
        else:
            formatter.write_text("\n".join(paragraph))


def _paragraphs(text: str) -> Iterable[list[str]]:
    return [block.splitlines() for block in text.split("\n\n") if block.strip()]
