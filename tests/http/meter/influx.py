"""Writes with InfluxDB's clients of PyPI, version 2 and version 1: python influx.py URL KEY."""

import sys
from urllib.parse import urlparse

import influxdb
import influxdb_client
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

url, key = sys.argv[1:]


def version_2(bucket: str, gzip: bool) -> None:
    with influxdb_client.InfluxDBClient(url, key, org="home", enable_gzip=gzip) as client:
        assert client.ping()
        api = client.write_api(write_options=SYNCHRONOUS)
        # Home Assistant takes a refusal of nothing for a sign of life.
        try:
            api.write(bucket=bucket, record=b"")
        except (ApiException, InfluxDBError) as error:
            assert error.response.status == 400, error
        point = influxdb_client.Point("home").tag("room", "Living Room, 1=2")
        point = point.field("temperature", 21.5).field("state_str", "on").time(1795262400, "s")
        api.write(bucket=bucket, record=point, write_precision="s")
        try:
            api.write(bucket=bucket, record="home f=1 1795262400\nhome nonsense", write_precision="s")
            raise AssertionError("a line that is none is written")
        except (ApiException, InfluxDBError) as error:
            assert error.response.status == 400 and "line 2" in str(error), error


def version_1() -> None:
    at = urlparse(url)
    client = influxdb.InfluxDBClient(at.hostname, at.port, username="any", password=key, database="py1")
    client.ping()
    client.create_database("py1")
    assert {"name": "py1"} in client.get_list_database() or client.get_list_database() == []
    point = {"measurement": "home", "tags": {"room": "Living Room, 1=2"}, "time": 1795262400,
             "fields": {"temperature": 21.5, "people": 3}}
    assert client.write_points([point], time_precision="s")
    try:
        client.write("home nonsense\n", params={"db": "py1"}, protocol="line")
        raise AssertionError("a line that is none is written")
    except influxdb.exceptions.InfluxDBClientError as error:
        assert error.code == 400 and "line 1" in str(error), error


version_2("py", gzip=False)
version_2("pyzip", gzip=True)
version_1()
