// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Bench} from "src-contracts/types/Bench.sol";
import {Tab, TabWord, Verdict, VerdictLib} from "src-contracts/types/Dispute.sol";
import {Job, JobWord} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib} from "src-contracts/types/Lease.sol";
import {Panel, PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {ReceiptLib} from "src-contracts/types/Receipt.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @dev Packed words from outside, deployed by artifact as every contract under test is: what a test takes into its own code no other build can replace.
contract WordsHarness {
    /* PANELS */

    function panel(PanelWord word) external pure returns (Panel memory) {
        return word.unpack();
    }

    /// @dev By the getters, which the hot paths read instead of the whole panel.
    function fieldsOf(PanelWord word) external pure returns (Panel memory p) {
        p.flags = word.flags();
        p.openedAt = uint40(word.openedAt());
        p.postBlock = uint40(word.postBlock());
        p.postedAt = uint40(word.postedAt());
        p.rampFrom = uint40(word.rampFrom());
        p.movedAt = uint40(word.movedAt());
        p.count = word.count();
        p.sitting = uint8(word.sitting());
        p.committed = uint8(word.committed());
        p.asked = uint8(word.asked());
        p.convicted = uint8(word.convicted());
    }

    function marks() external pure returns (uint16 bonus, uint16 spoken, uint16 pool) {
        return (PanelLib.BONUS, PanelLib.SPOKEN, PanelLib.POOL);
    }

    function has(PanelWord word, uint16 mark) external pure returns (bool) {
        return word.has(mark);
    }

    function move(PanelWord word) external view returns (PanelWord) {
        return word.move();
    }

    function ask(PanelWord word, uint256 seats) external pure returns (PanelWord) {
        return word.ask(seats);
    }

    /* BENCHES */

    function seat(Bench bench, uint256 place, uint256 print) external pure returns (Bench) {
        return bench.seat(place, print);
    }

    function placeFor(Bench bench, uint256 print) external pure returns (bool free, uint256 place) {
        return bench.placeFor(print);
    }

    /* VERDICTS AND TABS */

    function graver(Verdict one, Verdict other) external pure returns (Verdict) {
        return VerdictLib.graver(one, other);
    }

    function packed(Tab memory tab) external pure returns (TabWord) {
        return tab.pack();
    }

    function unpacked(TabWord word) external pure returns (Tab memory) {
        return word.unpack();
    }

    /* JOBS AND LEASES */

    function job(JobWord word) external pure returns (Job memory) {
        return word.unpack();
    }

    function flagsOfLeases() external pure returns (uint8 solo, uint8 direct, uint8 seated, uint8 trimmed) {
        return (LeaseWordLib.SOLO, LeaseWordLib.DIRECT, LeaseWordLib.SEAT, LeaseWordLib.TRIMMED);
    }

    function disputed(uint8 flags, uint256 at, uint208 revealed, uint16 open) external pure returns (LeaseWord) {
        return LeaseWordLib.disputed(flags, at, revealed, open);
    }

    function openOf(LeaseWord word) external pure returns (uint16) {
        return word.open();
    }

    /* RECEIPTS, TERMS AND RULES */

    function roomFor(uint256 seats) external pure returns (uint256 size) {
        return ReceiptLib.room(seats).length;
    }

    /// @dev All receipts put side by side, with something behind them in memory; both as they are afterwards.
    function receipts(uint208[] calldata bodies) external pure returns (uint208 hash, bytes32 behind) {
        bytes memory room = ReceiptLib.room(bodies.length);
        bytes32[] memory next = new bytes32[](1);
        next[0] = bytes32(type(uint256).max);
        for (uint256 i; i < bodies.length; ++i) {
            ReceiptLib.put(room, i, bodies[i]);
        }
        return (ReceiptLib.hash(room, bodies.length), next.length == 1 ? next[0] : bytes32(0));
    }

    function marksOf(Terms calldata terms) external pure returns (bool direct, bool tolerant) {
        return (terms.direct(), terms.tolerant());
    }

    function auditBps(Rules rules, uint256 runtime) external pure returns (uint256) {
        return rules.auditBps(runtime);
    }
}
