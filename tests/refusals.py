"""What a call refuses, and in which words."""

import pytest

import convtool


def refusal(error, call, *arguments, **options):
    """Return the message, which must be one line of a convtool error of this very type."""
    with pytest.raises(convtool.ConvtoolError) as caught:
        call(*arguments, **options)
    assert type(caught.value) is error
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message
