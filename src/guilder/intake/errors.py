"""What intake refuses; a forged or malformed message is refused in the connectors' own words."""

from guilder.kernel.errors import Kind, Refusal


class MessageNotFound(Refusal):
    """No message of a provider has this id."""

    code = "message_not_found"
    kind = Kind.NOT_FOUND


class MessageNotSetAside(Refusal):
    """Only a message that was set aside can be driven again."""

    code = "message_not_set_aside"
    kind = Kind.CONFLICT
