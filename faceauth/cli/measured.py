"""The pack that a benchmark measures, loaded as the service loads it."""

from typing import TYPE_CHECKING

from faceauth.settings import Settings

if TYPE_CHECKING:
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
