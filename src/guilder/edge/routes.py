"""Routes: which endpoints a path has. A path is matched as it was sent, and has one spelling."""

from collections.abc import Sequence

from guilder.edge.endpoint import Endpoint
from guilder.edge.errors import RouteNotFound


class _Node:
    """A segment of paths: what may follow it, and the endpoints of the path that ends here."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.names: tuple[str, ...] = ()
        self.endpoints: dict[str, Endpoint] = {}


class Routes:
    """Finds the endpoints of a path, by method; a literal segment wins over a parameter.

    Our own tree, because Litestar's refuses parameters in the paths of plain ASGI handlers, and
    its full handlers cost half as much again per request (docs/adr).
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def find(self, raw_path: bytes) -> tuple[dict[str, Endpoint], dict[str, str]]:
        """The endpoints by method, and the path's parameters as text.

        Raises `RouteNotFound`, also for another spelling of a path that exists: a closing or
        doubled slash, or percent-encoding, which no path of ours needs. Whatever stands before us
        and judges by path then sees the same path as we do.
        """
        node: _Node | None = self._root
        values: list[str] = []
        for segment in raw_path.decode("latin-1").removeprefix("/").split("/"):
            following = node.literals.get(segment)
            if following is None and segment and segment.isascii() and "%" not in segment:
                following = node.parameter
                values.append(segment)
            node = following
            if node is None:
                raise _nothing_here()
        if not node.endpoints:
            raise _nothing_here()
        return node.endpoints, dict(zip(node.names, values, strict=True))

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        names: list[str] = []
        for segment in endpoint.contract.path.removeprefix("/").split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        assert node.names in {(), tuple(names)}, "one path names its parameters one way"
        node.names = tuple(names)
        node.endpoints[endpoint.contract.method] = endpoint
        if endpoint.contract.method == "GET":
            node.endpoints["HEAD"] = endpoint


def _nothing_here() -> RouteNotFound:
    return RouteNotFound("there is nothing at this path; /docs lists what there is")
