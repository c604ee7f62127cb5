"""What `bowline test` runs: writes through the web service, and reads it back, from the database and from the cache.

check.py URL; with --health only whether it is well.
"""

import json
import sys
import urllib.request


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.headers.get("X-Source"), answer.read()


def main(url):
    text = f"written by check.py, number {len(json.loads(get(url)[1])) + 1}"
    with urllib.request.urlopen(urllib.request.Request(url, text.encode(), method="POST"), timeout=5) as answer:
        assert answer.status == 201, answer.status
    for expected in "database", "cache":
        source, body = get(url)
        assert source == expected, f"read from {source}, expected from {expected}"
        assert json.loads(body)[-1] == text, f"{body} does not end with {text!r}"
    print(f"{text!r} was written, read from the database, and then from the cache")


if __name__ == "__main__":
    if sys.argv[1] == "--health":
        get(sys.argv[2] + "/health")
    else:
        main(sys.argv[1])
