"""The page where the API can be tried: Swagger UI, served from here, without inline scripts."""


def render() -> bytes:
    """The page; everything it loads is our own."""
    return b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guilder API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger"></div>
<script src="/docs/swagger-ui.js"></script>
<script src="/docs/swagger.js"></script>
</body>
</html>
"""
