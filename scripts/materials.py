"""The bill of materials of a wheelhouse (CycloneDX 1.6), and what is known of vulnerabilities in it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.house import Wheel, environment_of
from scripts.lock import PORTAL_EXTRAS

_OF_PORTALOPS = uuid.UUID("8f0b9d0e-0f3a-5c1e-9a56-6f2f6c1b9b0c")
"""The namespace of serial numbers, which are made of what is in the wheelhouse."""


def bill_of(wheels: Sequence[Wheel], own: str, pythons: Sequence[str], *, epoch: int, build: str) -> str:
    """Return the bill of materials as JSON; the same wheels give the same text.

    Args:
        wheels: all of them; a package with a wheel for each Python is one component.
        own: the name of the one that the others are there for.
        pythons: which Pythons they are for.
        epoch: the moment that it bears, in seconds since 1970.
        build: tells this wheelhouse from others.
    """
    components = {name: _component(name, held) for name, held in _by_name(wheels).items()}
    bom = Bom(serial_number=uuid.uuid5(_OF_PORTALOPS, build))
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.metadata.component = components[own]
    bom.metadata.properties.add(Property(name="portalops:pythons", value=", ".join(pythons)))
    for name, component in components.items():
        if name != own:
            bom.components.add(component)
    for name, held in _by_name(wheels).items():
        needed = {each for wheel in held for each in _needs(wheel, pythons) if each in components}
        bom.dependencies.add(
            Dependency(components[name].bom_ref, [Dependency(components[each].bom_ref) for each in sorted(needed)])
        )
    text = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(text, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _by_name(wheels: Iterable[Wheel]) -> Mapping[str, Sequence[Wheel]]:
    found: dict[str, list[Wheel]] = {}
    for wheel in sorted(wheels, key=lambda each: (each.name, each.path.name)):
        found.setdefault(wheel.name, []).append(wheel)
    return found


def _component(name: str, wheels: Sequence[Wheel]) -> Component:
    first = wheels[0]
    licences = [LicenseFactory().make_from_string(first.licence)] if first.licence else []
    component = Component(
        type=ComponentType.APPLICATION if name == "portalops" else ComponentType.LIBRARY,
        name=name,
        version=first.version,
        description=first.summary or None,
        licenses=licences,
        purl=PackageURL("pypi", None, name, first.version),
        bom_ref=f"{name}@{first.version}",
    )
    for wheel in wheels:
        component.properties.add(Property(name=f"portalops:sha256:{wheel.path.name}", value=wheel.sha256))
    if len(wheels) == 1:
        component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=first.sha256))
    return component


def _needs(wheel: Wheel, pythons: Sequence[str]) -> set[str]:
    found = set()
    for text in wheel.requires:
        requirement = Requirement(text)
        for python in pythons:
            environment = dict(environment_of(python))
            if (
                requirement.marker is None
                or requirement.marker.evaluate(environment)
                or _by_extra(requirement, environment)
            ):
                found.add(str(canonicalize_name(requirement.name)))
    return found


def _by_extra(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Say whether some extra asks for it: that of portalops's own extras which is in the lock is seen by its wheel being there."""
    return "extra" in str(requirement.marker) and any(
        requirement.marker is not None and requirement.marker.evaluate({**environment, "extra": extra})
        for extra in (*PORTAL_EXTRAS, "binary")
    )


def audit_of(answer: str, names: Iterable[str], *, at: str, tool: str) -> Mapping[str, Any]:
    """Return what an answer of pip-audit comes to: a package that it did not look up is unknown, whatever its last line says.

    Args:
        answer: its JSON; empty if it gave none.
        names: of every package in the wheelhouse, portalops aside.
        at: the day.
        tool: its name and version.
    """
    wanted = {str(canonicalize_name(name)) for name in names}
    known: set[str] = set()
    vulnerable: dict[str, list[str]] = {}
    try:
        told = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        told = []
    for each in told:
        name = str(canonicalize_name(each["name"]))
        if "skip_reason" in each or name not in wanted or "vulns" not in each:
            continue
        known.add(name)
        if each["vulns"]:
            vulnerable[name] = sorted(str(one["id"]) for one in each["vulns"])
    unknown = sorted(wanted - known)
    verdict = "vulnerable" if vulnerable else "unknown" if unknown else "none known"
    return {
        "asked_on": at,
        "tool": tool,
        "verdict": verdict,
        "looked_up": len(known),
        "unknown": unknown,
        "vulnerable": vulnerable,
    }
