"""Is somebody there? The burst must answer its challenge with a solid head's motion; anything else is denied."""
