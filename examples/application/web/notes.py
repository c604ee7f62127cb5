"""A notebook: GET / lists it, POST / adds the body to it, GET /health says whether everything behind it answers."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import redis

LIST = "notes"


def database():
    with open("/run/secrets/db-password", encoding="utf-8") as file:
        password = file.readline().strip()
    return psycopg2.connect(host=os.environ["DB_HOST"], user="app", dbname="app", password=password, connect_timeout=3)


def run(statement, *values):
    """One statement in a transaction of its own; its rows."""
    connection = database()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()
    finally:
        connection.close()


cache = redis.Redis(host=os.environ["CACHE_HOST"], socket_timeout=3)


def notes():
    """The list and where it came from: the cache, or the database, after which the cache has it."""
    if (known := cache.get(LIST)) is not None:
        return known, "cache"
    text = json.dumps([row[0] for row in run("SELECT text FROM notes ORDER BY id")]).encode()
    cache.set(LIST, text, ex=60)
    return text, "database"


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            run("SELECT count(*) FROM notes")
            cache.ping()
            return self.answer(200, b"well\n")
        text, source = notes()
        self.answer(200, text + b"\n", source)

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        (number,), = run("INSERT INTO notes (text) VALUES (%s) RETURNING id", text)
        cache.delete(LIST)
        self.answer(201, f"{number}\n".encode())

    def answer(self, code, body, source=None):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if source:
            self.send_header("X-Source", source)
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (psycopg2.Error, redis.RedisError) as why:
            self.answer(503, f"{why}\n".encode())


if __name__ == "__main__":
    print("listening on 8000", flush=True)
    ThreadingHTTPServer(("", 8000), Notes).serve_forever()
