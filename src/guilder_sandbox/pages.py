"""The one page a person sees: what this is, and where its book lies."""

from guilder_sandbox.clock import Clock, rfc3339
from guilder_sandbox.wire import Answer

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Guilder sandbox</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 1rem }}
code {{ background: #8882; padding: 0 .25em; border-radius: 3px }}
</style>
</head>
<body>
<h1>The outside world, simulated</h1>
<p>This process plays the payment providers. It keeps books of its own, speaks each provider's
dialect, signs and sends webhooks, and goes wrong on request. No money moves here.</p>
<ul>
<li><a href="/book">The providers' book</a> (JSON)</li>
<li><a href="/settlement.csv?provider=stripe&amp;date={date}">The settlement file of {date}</a></li>
<li><a href="/control/faults">Faults in force</a>,
<a href="/control/webhooks">webhook weather</a>,
<a href="/control/health">health</a></li>
<li>Stripe's dialect is at <code>/v1</code>; use any key that starts with
<code>sk_test_</code>.</li>
</ul>
<p>The clock here shows {now}.</p>
</body>
</html>
"""


def front_page(clock: Clock) -> Answer:
    now = rfc3339(clock.micros())
    page = PAGE.format(now=now, date=now[:10])
    return Answer(200, page.encode(), content_type=b"text/html; charset=utf-8")
