"""XML, CSV and HAL of one dialect, read by parsers that are not ours."""

import csv
import io
import json
import os
import re
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

from records import records
from server import Server

BINARY = os.environ["REQLOG_BINARY"]
PROJECT = "abcdefghijklmnopqrstuvwx"
LOGS = f"/v2.1/projects/{PROJECT}/logs?startDate=2026-06-23&endDate=2026-06-23"
# what XML 1.0 has no way to write
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def written(text):
    """A text as an XML parser hands it back."""
    return UNWRITABLE.sub("\ufffd", text)


def raw(cell):
    """A cell without the mark that keeps spreadsheets from computing it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(BINARY))
        cls.server.ingest(records(11, 1500), PROJECT)

    def pages(self, accept, limit):
        """Every page, by the cursor of the JSON representation."""
        cursor = ""
        while True:
            path = f"{LOGS}&limit={limit}{cursor}"
            page = self.server.json(path)
            headers, body = self.server.get(path, Accept=accept)
            self.assertEqual(headers.get_content_type(), accept)
            self.assertIn("accept", headers["Vary"].lower())
            yield page, body.decode()
            if page["nextCursor"] is None:
                return
            cursor = f"&next={page['nextCursor']}"

    def test_xml_is_well_formed_and_says_the_same(self):
        seen = 0
        for accept in ["application/xml", "text/xml"]:
            for page, body in self.pages(accept, 100):
                root = ElementTree.fromstring(body.encode())
                self.assertEqual(root.tag, "response")
                items = root.findall("items/item")
                self.assertEqual(len(items), len(page["items"]))
                for item, told in zip(items, page["items"]):
                    seen += 1
                    self.assertEqual(item.findtext("_id"), told["_id"])
                    self.assertEqual(item.findtext("timestamp"), told["timestamp"])
                    self.assertEqual(item.findtext("type"), told["type"])
                    self.assertEqual(item.findtext("msg") or "", written(told["msg"] or ""), body)
                    meta = item.find("meta")
                    self.assertEqual(len(meta) if meta is not None else 0, len(flat(told["meta"])))
        self.assertEqual(seen, 2 * 1500)

    def test_csv_has_the_same_rows_and_cells(self):
        seen = 0
        for page, body in self.pages("text/csv", 100):
            rows = list(csv.DictReader(io.StringIO(body, newline=""), strict=True))
            self.assertEqual(len(rows), len(page["items"]))
            for row, told in zip(rows, page["items"]):
                seen += 1
                self.assertNotIn(None, row, "a row has more cells than the header")
                for name in ["_id", "timestamp", "type", "msg"]:
                    self.assertEqual(raw(row[name]), told[name] or "", name)
                self.assertEqual(row["traceId"] and raw(row["traceId"]), told.get("traceId") or "")
                self.assertEqual(json.loads(raw(row["meta"])), told["meta"])
                for cell in row.values():
                    self.assertNotIn(cell[:1], tuple("=+-@\t\r") if cell else (None,))
        self.assertEqual(seen, 1500)

    def test_hal_links_lead_to_the_end_and_back(self):
        def hal(href):
            headers, body = self.server.get(href, Accept="application/hal+json")
            self.assertEqual(headers.get_content_type(), "application/hal+json")
            return json.loads(body)

        wanted = [item["_id"] for page, _ in self.pages("application/hal+json", 97) for item in page["items"]]
        self.assertEqual(len(set(wanted)), 1500)
        page = hal(f"{LOGS}&limit=97")
        forward, sizes = [], []
        while True:
            self.assertEqual(page["total"], 1500)
            forward += [item["_id"] for item in page["_embedded"]["items"]]
            sizes.append(len(page["_embedded"]["items"]))
            again = hal(page["_links"]["self"]["href"])
            self.assertEqual(again["_embedded"], page["_embedded"], "self is this page")
            if "next" not in page["_links"]:
                break
            page = hal(page["_links"]["next"]["href"])
        self.assertEqual(forward, wanted)
        back = [item["_id"] for item in page["_embedded"]["items"]]
        while "previous" in page["_links"]:
            page = hal(page["_links"]["previous"]["href"])
            back = [item["_id"] for item in page["_embedded"]["items"]] + back
        self.assertEqual(back, wanted)
        self.assertEqual(len(sizes), 16)


def flat(meta):
    """The children that a mapping has as elements: a list repeats its name."""
    return [value for values in meta.values() for value in (values if isinstance(values, list) else [values])]


if __name__ == "__main__":
    unittest.main()
