"""Pictures with what speaks in them for a class: overlays with their scales, as SVG, PNG and one page. No torch."""
