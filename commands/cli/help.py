"""A verb's help page: its arguments and options, in the reader's language and as data, read off what Typer parses by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from typer.core import TyperArgument, TyperCommand, TyperOption

from commands.cli.result import JsonValue, Result
from portalops.model.message import Message, msg, verbatim
from portalops.reports.document import Block, Heading, KeyValues, Paragraph

Parameter: TypeAlias = TyperArgument | TyperOption


def verb_page(called: str, command: TyperCommand) -> Result[JsonValue]:
    """Say what a verb does, what it takes and how it ends; `called` is how it is called, such as `backup run`."""
    arguments, options = parameters_of(command)
    summary, *more = sections_of(command)
    usage = usage_of(called, command)
    view: list[Block] = [Paragraph(verbatim(f"{summary}."))]
    view.append(
        Paragraph(
            msg("Usage: {command} [OPTIONS]", command=usage) if options else msg("Usage: {command}", command=usage)
        )
    )
    view += [Paragraph(verbatim(text)) for text in more]
    for heading, parameters in ((msg("Arguments"), arguments), (msg("Options"), options)):
        if parameters:
            view += [
                Heading(2, heading),
                KeyValues([(verbatim(shape_of(each)), meaning_of(each)) for each in parameters]),
            ]
    view.append(Paragraph(msg("'portalops --help' shows the options of every command, such as --json and --lang.")))
    data: JsonValue = {
        "id": called,
        "summary": summary,
        "usage": usage,
        "arguments": list(map(_data, arguments)),
        "options": list(map(_data, options)),
    }
    return Result(data, view)


def usage_of(called: str, command: TyperCommand) -> str:
    """Return how a verb is called: its arguments, and the options that it cannot do without."""
    arguments, options = parameters_of(command)
    wanted: list[Parameter] = [*arguments, *(each for each in options if each.required)]
    return " ".join([f"portalops {called}", *map(_wanted, wanted)])


def parameters_of(command: TyperCommand) -> tuple[list[TyperArgument], list[TyperOption]]:
    """Return a verb's arguments and its options, each in the order of their declaration."""
    return (
        [each for each in command.params if isinstance(each, TyperArgument)],
        [each for each in command.params if isinstance(each, TyperOption)],
    )


def name_of(parameter: Parameter) -> str:
    """Return what a person calls a parameter: `SET` for an argument, `--to` for an option."""
    if parameter.param_type_name == "argument":
        return value_of(parameter)
    return max(parameter.opts, key=len)


def shape_of(parameter: Parameter) -> str:
    """Return how a parameter is written: `SET`, `--dry-run`, `--full | --diff` or `--to FOLDER`."""
    if parameter.param_type_name == "argument":
        return name_of(parameter)
    if getattr(parameter, "is_flag", False):
        return " | ".join((name_of(parameter), *parameter.secondary_opts))
    return f"{name_of(parameter)} {value_of(parameter)}"


def sections_of(command: TyperCommand) -> list[str]:
    """Return a help text's paragraphs, the summary first."""
    return [text.strip() for text in (command.help or "").split("\n\n")]


def _wanted(parameter: Parameter) -> str:
    many = "..." if parameter.nargs == -1 or parameter.multiple else ""
    return f"{shape_of(parameter)}{many}" if parameter.required else f"[{shape_of(parameter)}]{many}"


def value_of(parameter: Parameter) -> str:
    """Return what stands for the value: as declared, else what it takes, else the last word of its name in the code."""
    return (
        parameter.metavar
        or "|".join(choices_of(parameter))
        or (parameter.name or "").strip("_").upper().rpartition("_")[2]
    )


def choices_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the values that a parameter takes; empty if it takes others too."""
    return tuple(str(getattr(each, "value", each)) for each in parameter.type_descriptor.choices or ())


def meaning_of(parameter: Parameter) -> Message:
    """Say what a parameter is for, and its default or that it is required."""
    text = parameter.help or ""
    if parameter.required and parameter.param_type_name == "option":
        return msg("{text} (required)", text=text)
    default = next(_defaults(parameter), None)
    return verbatim(text) if default is None else msg("{text} (default: {default})", text=text, default=default)


def _defaults(parameter: Parameter) -> Iterator[str]:
    """Yield the default that is worth showing, if there is one."""
    default = parameter.default
    if default is not None and not isinstance(default, bool) and str(default):
        yield str(default)


def _data(parameter: Parameter) -> JsonValue:
    return {"id": name_of(parameter), "summary": parameter.help or "", "required": parameter.required}
