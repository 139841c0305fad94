// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";

import {Bench} from "src-contracts/types/Bench.sol";
import {Tab, TabWord, Verdict} from "src-contracts/types/Dispute.sol";
import {Job, JobState, JobWord} from "src-contracts/types/Job.sol";
import {LeaseWord, Phase} from "src-contracts/types/Lease.sol";
import {Panel, PanelWord} from "src-contracts/types/Panel.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "test/contracts/lib/Readable.sol";
import {WordsHarness} from "test/contracts/words/WordsHarness.sol";

/// @dev Every field of a packed word at its least and its most: none runs into its neighbour, and none is a bit short.
contract WordsTest is Test {
    uint256 private constant TIME = type(uint40).max;

    WordsHarness private words;

    function setUp() external {
        words = WordsHarness(vm.deployCode("WordsHarness.sol:WordsHarness"));
    }

    function _same(Panel memory one, Panel memory other) private pure {
        assertEq(keccak256(abi.encode(one)), keccak256(abi.encode(other)));
    }

    /* PANELS */

    function test_Panel_FieldsStandWhereTheLayoutSays() external view {
        uint256 word = (uint256(0xf0 | uint8(Phase.Seated)) << 248) | (uint256(1) << 208) | (uint256(2) << 168)
            | (uint256(3) << 128) | (uint256(4) << 88) | (uint256(5) << 48) | (uint256(6) << 32) | (uint256(7) << 28)
            | (uint256(8) << 24) | (uint256(9) << 20) | (uint256(10) << 16) | 11;
        _same(words.panel(PanelWord.wrap(word)), Panel(0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    }

    function testFuzz_Panel_GettersSayWhatTheViewSays(uint256 word) external view {
        Panel memory whole = words.panel(PanelWord.wrap(word));
        Panel memory fields = words.fieldsOf(PanelWord.wrap(word));
        fields.marks = whole.marks;
        _same(whole, fields);
    }

    function test_Panel_EachFieldAtItsMost() external view {
        uint40 most = uint40(TIME);
        Panel memory full = Panel(0xf0, most, most, most, most, most, 0xffff, 0x0f, 0x0f, 0x0f, 0x0f, 0xffff);
        _same(words.panel(PanelWord.wrap(type(uint256).max)), full);
        _same(words.panel(PanelWord.wrap(0)), Panel(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    }

    function test_Panel_MovesOnlyItsSecond() external {
        uint256 all = type(uint256).max;
        vm.warp(0x12345);
        uint256 moved = PanelWord.unwrap(words.move(PanelWord.wrap(all)));
        assertEq(moved, (all ^ (TIME << 48)) | (uint256(0x12345) << 48));
    }

    function test_Panel_AskingForSeatsReplacesWhatWasAsked() external view {
        uint256 all = type(uint256).max;
        assertEq(PanelWord.unwrap(words.ask(PanelWord.wrap(all), 2)), (all ^ (uint256(0x0f) << 20)) | (2 << 20));
    }

    /// @dev Readers off chain know them by these bits.
    function test_Panel_EachMarkIsABitOfItsOwn() external view {
        (uint16 bonus, uint16 spoken, uint16 pool) = words.marks();
        assertEq(abi.encode(bonus, spoken, pool), abi.encode(1, 2, 4));
        for (uint16 mark = 1; mark <= 4; mark <<= 1) {
            assertTrue(words.has(PanelWord.wrap(mark), mark));
            assertFalse(words.has(PanelWord.wrap(7 ^ mark), mark));
        }
    }

    /* BENCHES */

    function test_Bench_ElevenSitAndNobodyElse() external view {
        Bench bench;
        for (uint256 print = 1; print <= 11; ++print) {
            (bool free, uint256 place) = words.placeFor(bench, print);
            assertTrue(free);
            assertEq(place, print - 1);
            bench = words.seat(bench, place, print);
        }
        for (uint256 print = 1; print <= 11; ++print) {
            (bool free, uint256 place) = words.placeFor(bench, print);
            assertFalse(free, "it sits already");
            assertEq(place, print - 1);
        }
        (bool twelfth,) = words.placeFor(bench, 12);
        assertFalse(twelfth);
    }

    /* VERDICTS AND TABS */

    function test_Verdict_EachIsGraverThanThoseBeforeIt() external view {
        Verdict[6] memory rising =
            [Verdict.None, Verdict.Valid, Verdict.Withheld, Verdict.Undecided, Verdict.SpecFault, Verdict.Invalid];
        for (uint256 i; i < 6; ++i) {
            for (uint256 k; k < 6; ++k) {
                Verdict graver = words.graver(rising[i], rising[k]);
                assertEq(uint8(graver), uint8(rising[i > k ? i : k]));
            }
        }
    }

    function test_Tab_EachFieldAtItsMost() external view {
        uint256 most = (1 << 93) - 1;
        address all = address(type(uint160).max);
        Tab memory tab = words.unpacked(words.packed(Tab(all, most, Verdict.Undecided)));
        assertEq(abi.encode(tab), abi.encode(Tab(all, most, Verdict.Undecided)));
        tab = words.unpacked(words.packed(Tab(address(0), most, Verdict.None)));
        assertEq(abi.encode(tab), abi.encode(Tab(address(0), most, Verdict.None)));
        tab = words.unpacked(words.packed(Tab(all, 0, Verdict.None)));
        assertEq(abi.encode(tab), abi.encode(Tab(all, 0, Verdict.None)));
    }

    /* JOBS AND LEASES */

    function test_Job_WhatEndedHasAReceiptAndNoCounts() external view {
        uint256 receipt = type(uint208).max;
        for (uint8 state = uint8(JobState.Complete); state <= uint8(JobState.Closed); ++state) {
            Job memory job = words.job(JobWord.wrap((uint256(state) << 248) | (uint256(9) << 208) | receipt));
            assertEq(abi.encode(job), abi.encode(Job(JobState(state), 9, 0, 0, 0, 0, 0)));
        }
    }

    /// @dev Readers off chain know them by these bits.
    function test_Lease_EachFlagIsABitOfItsOwn() external view {
        (uint8 solo, uint8 direct, uint8 seated, uint8 trimmed) = words.flagsOfLeases();
        assertEq(abi.encode(solo, direct, seated, trimmed), abi.encode(0x80, 0x40, 0x20, 0x10));
    }

    function test_Lease_HowManyAreDisputedStandsInPlaceOfTheHashsEnd() external view {
        for (uint16 open; open < 5; ++open) {
            LeaseWord word = words.disputed(0x80, TIME, type(uint208).max, open);
            assertEq(words.openOf(word), open);
            assertEq(LeaseWord.unwrap(word) >> 16, (uint256(0x86) << 232) | type(uint232).max);
        }
    }

    /* RECEIPTS, TERMS AND RULES */

    function test_Receipts_TakeTheirRoomAndNoMore() external view {
        for (uint256 seats = 1; seats <= 5; ++seats) {
            assertEq(words.roomFor(seats), 26 * seats + 6, "26 bytes each, and the last is written as a whole word");
            uint208[] memory bodies = new uint208[](seats);
            bytes memory sideBySide;
            for (uint256 i; i < seats; ++i) {
                bodies[i] = uint208(type(uint208).max - i);
                sideBySide = abi.encodePacked(sideBySide, bodies[i]);
            }
            (uint208 hash, bytes32 behind) = words.receipts(bodies);
            assertEq(hash, uint208(uint256(keccak256(sideBySide))));
            assertEq(behind, bytes32(type(uint256).max), "what lies behind them is as it was");
        }
    }

    function test_Terms_DirectAndTolerantAreABitEach() external view {
        Terms memory terms;
        for (uint256 i; i < 4; ++i) {
            (terms.direct, terms.tolerant) = (i & 1 != 0, i & 2 != 0);
            (bool direct, bool tolerant) = words.marksOf(terms.pack());
            assertEq(abi.encode(direct, tolerant), abi.encode(terms.direct, terms.tolerant));
        }
    }

    function test_Rules_EightRuntimesHaveARateAndOthersNone() external view {
        uint16[4] memory rates = [0, 100, 200, 500];
        for (uint256 runtime; runtime < 8; ++runtime) {
            for (uint152 rate; rate < 4; ++rate) {
                assertEq(words.auditBps(Rules.wrap(rate << uint152(48 + 2 * runtime)), runtime), rates[rate]);
            }
            assertEq(words.auditBps(Rules.wrap(~(uint152(3) << uint152(48 + 2 * runtime))), runtime), 0);
        }
        for (uint256 runtime = 8; runtime < 32; ++runtime) {
            assertEq(words.auditBps(Rules.wrap(type(uint152).max), runtime), 0);
        }
    }
}
