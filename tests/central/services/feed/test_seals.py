"""Which keys sign policies and heads, from real key files to what an edge believes."""

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from central.clock import Clock
from central.config import Config, read_config
from central.core.feed import policy_row
from central.errors import NotReady
from central.links.key_files import load_certified, load_root
from central.services.feed.policies import issue
from central.services.feed.seals import seals_of
from central.services.key_making import make_keys
from central.services.own_keys import key_places
from central.services.policy import rules_at
from central.services.statements import signer_at
from edge_agent.links.keys import policy_keys, proving_with
from protocols.policy import PolicyText, SignedText, signed_bytes
from protocols.sync.certified import KeyKind
from protocols.values.ids import PlaceId
from tests.central.hospital import HOSPITAL, START, hospital


def config_of(folder: Path, sync: str = "") -> Config:
    path = folder / "central.toml"
    path.write_text(f'[broker]\nurls = ["mqtt://127.0.0.1:1"]\n{sync}', "utf-8")
    return read_config(path)


def test_a_policy_is_signed_by_a_key_that_an_edge_believes_and_no_other(tmp_path: Path) -> None:
    config, clock = config_of(tmp_path), Clock()
    make_keys(key_places(config, tmp_path / "medium"), clock.real_now())
    seals = seals_of(config, clock, signer_at(config.statement_key))
    store = hospital(tmp_path / "files")
    with store.write() as connection:
        rules = rules_at(connection, HOSPITAL, START)
        signed = issue(connection, HOSPITAL, [PlaceId("ward-01")], rules, seals.policy, START)[PlaceId("ward-01")]
    root = load_root(config.key_folder).public_bytes(Encoding.Raw, PublicFormat.Raw)
    kinds = (KeyKind.SYNC, KeyKind.POLICY)
    told = [key for kind in kinds for key in load_certified(config.key_folder, kind)]  # as at enrolment
    proves = proving_with(policy_keys(root, told))
    said = msgspec.json.decode(policy_row(signed).body or "", type=SignedText)
    data, signature = signed_bytes(PolicyText, said.text), bytes.fromhex(said.signature)
    assert proves(said.key, data, signature)
    assert not proves(said.key, data + b" ", signature)
    assert not proves(told[0].key_id, data, signature)
    assert seals.heads is not None
    assert seals.heads.key_id not in {said.key, told[0].key_id}


def test_without_keys_nothing_is_issued_unless_it_is_said_so(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    statements = signer_at(config.statement_key)
    with pytest.raises(NotReady):
        seals_of(config, Clock(), statements)
    seals = seals_of(config_of(tmp_path, "[sync]\nunsigned = true\n"), Clock(), statements)
    assert (seals.policy, seals.heads) == (None, statements)
