"""What benchmarks share: the pack that is measured, loaded as the service loads it, and the plot of growth."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from faceauth.cli.console import note
from faceauth.errors import ConfigurationError
from faceauth.settings import Settings

if TYPE_CHECKING:
    from faceauth.bench.growth import Growth
    from faceauth.embed.packs import Pack


def measured_pack(settings: Settings, name: str | None = None) -> "Pack":
    """Load a pack on the provider that the settings name: no figure of an accelerator is the processor's.

    Args:
        settings: where packs lie, and what runs them.
        name: the pack; the settings' one if left out.

    Raises:
        ConfigurationError, ModelError: as `faceauth.embed.packs.load_pack`.
    """
    from faceauth.embed.packs import load_pack  # noqa: PLC0415  networks are slow to import

    chosen = name or settings.model_pack
    return load_pack(chosen, settings.models_dir, settings.models_manifest, settings.inference)


def growth_plot(curves: "Sequence[Growth]", folder: Path) -> list[Path]:
    """Draw how costs grow into `growth.png`, if there are any; return what was written."""
    from faceauth.bench.growth import write_growth  # noqa: PLC0415  networks are slow to import

    file = folder / "growth.png"
    if not curves:
        return []
    try:
        write_growth(curves, file)
    except ConfigurationError as error:
        note(f"warning: {error}")
        return []
    return [file]
