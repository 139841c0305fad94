// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Three nodes of equal stake and record 0.5: each has a sixth of the whole, so two expected nodes mean a threshold of a third.
contract DrawTest is MarketTest {
    bytes32 private constant SEED = keccak256("a block after the post");
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    function _open() private returns (Terms memory t, bytes32 id) {
        t = _terms();
        t.node = 0;
        id = _post(t);
    }

    /// @dev Mines two blocks; the first gets `SEED` as its hash.
    function _mine() private {
        uint256 posted = vm.getBlockNumber();
        _pass(2, 2);
        vm.setBlockhash(posted + 1, SEED);
    }

    /// @dev The rule in the words of its definition: in when roll < 2^64 · stake · record / total · (2 + steps).
    function _expected(bytes32 id, uint256 from, Actor memory n) private view returns (uint256) {
        uint256 roll = uint64(uint256(keccak256(abi.encode(SEED, id, uint256(0), uint256(n.id)))));
        (uint96 total,) = market.runtime(1);
        uint256 stake = market.node(n.id).stake;
        uint256 share = (stake * _record(n) * 2 ** 64) / (uint256(total) * 10_000);
        for (uint256 steps; steps < 60; ++steps) {
            if (roll < share * (2 + steps)) return from + steps * 30;
        }
        return from + 30 minutes;
    }

    function _refuses(Terms memory t, Actor memory n, uint256 retryAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.NotDrawn.selector, market.jobId(t.pack()), n.id, uint40(retryAt))
        );
        vm.prank(n.operator);
        market.claim(t.pack(), n.id, 1);
    }

    function test_RevertWhen_Drawn_SeedIsNotMined() external {
        (Terms memory t,) = _open();
        _refuses(t, alice, type(uint40).max);
        _pass(1, 1);
        _refuses(t, alice, type(uint40).max);
        _pass(1, 1);
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, alice.id);
        assertTrue(from != type(uint40).max, "known from the second block");
        if (now_) _claim(t, alice, 1);
    }

    function test_Draw_FollowsItsDefinitionForEveryNode() external {
        Actor[3] memory nodes = [alice, bob, carol];
        uint256 late;
        for (uint256 i; i < 24; ++i) {
            (Terms memory t, bytes32 id) = _open();
            uint256 posted = _now();
            _mine();
            for (uint256 k; k < 3; ++k) {
                uint256 at = _expected(id, posted, nodes[k]);
                (bool now_, uint40 from) = market.drawn(t.pack(), 0, nodes[k].id);
                assertEq(from, at, "first second");
                assertEq(now_, _now() >= at, "now");
                if (at > posted) ++late;
            }
        }
        assertGt(late, 20, "a third is in at once, so most must wait");
        assertLt(late, 72, "some are in at once");
    }

    function test_RevertWhen_Claim_ASecondBeforeTheDraw() external {
        for (uint256 i; i < 40; ++i) {
            (Terms memory t,) = _open();
            _mine();
            (, uint40 from) = market.drawn(t.pack(), 0, alice.id);
            if (from < _now() + 60) continue;
            vm.warp(from - 1);
            _refuses(t, alice, from);
            vm.warp(from);
            _claim(t, alice, 1);
            return;
        }
        fail();
    }

    function test_Draw_IsOpenToAllInTheEnd() external {
        Actor memory poor = _node("poor", 100e18);
        _pass(1 hours, 1);
        uint256 latest;
        for (uint256 i; i < 40; ++i) {
            (Terms memory t,) = _open();
            uint256 posted = _now();
            _mine();
            (, uint40 from) = market.drawn(t.pack(), 0, poor.id);
            assertLe(from, posted + 30 minutes, "nobody waits longer");
            if (from - posted > latest) latest = from - posted;
        }
        assertEq(latest, 30 minutes, "a small node meets the end of the draw");
    }

    function test_Draw_ANodeYoungerThanTheSeedWaits() external {
        (Terms memory t,) = _open();
        uint256 posted = _now();
        Actor memory same = _node("same second", 1_000_000e18);
        _mine();
        Actor memory young = _node("young", 1_000_000e18);

        (, uint40 from) = market.drawn(t.pack(), 0, same.id);
        assertEq(from, posted + 30 minutes, "same second as the post");
        _refuses(t, young, posted + 30 minutes);
        vm.warp(posted + 30 minutes - 1);
        _refuses(t, young, posted + 30 minutes);
        vm.warp(posted + 30 minutes);
        _claim(t, young, 1);
    }

    function test_Draw_AddedStakeOrNewRuntimesMakeANodeYoung() external {
        (Terms memory t,) = _open();
        uint256 posted = _now();
        _mine();
        dpu.transfer(bob.owner, 1e18);
        vm.prank(bob.owner);
        market.stake(bob.id, 1e18);
        vm.prank(alice.owner);
        market.setNode(alice.id, alice.operator, 6, 0, "");

        (, uint40 a) = market.drawn(t.pack(), 0, alice.id);
        (, uint40 b) = market.drawn(t.pack(), 0, bob.id);
        assertEq(a, posted + 30 minutes);
        assertEq(b, posted + 30 minutes);
    }

    function test_Draw_BeginsAtTheStartOfTheTerms() external {
        Terms memory t = _terms();
        (t.node, t.start) = (0, uint40(_now() + 1_000));
        bytes32 id = _post(t);
        _mine();
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, alice.id);
        assertFalse(now_);
        assertEq(from, _expected(id, t.start, alice));
    }

    function test_Draw_HashOutOfReachOpensItToAll() external {
        (Terms memory t,) = _open();
        uint256 posted = _now();
        _pass(2, 10_000);
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, carol.id);
        assertTrue(now_);
        assertEq(from, posted);
        _claim(t, carol, 1);
    }

    function test_Draw_ReadsTheHistoryContractBeyond256Blocks() external {
        (Terms memory t, bytes32 id) = _open();
        uint256 posted = _now();
        _pass(2, 300);
        // Answers every block number with SEED, as EIP-2935's contract answers with one hash each.
        vm.etch(HISTORY, abi.encodePacked(hex"7f", SEED, hex"60005260206000f3"));

        (, uint40 from) = market.drawn(t.pack(), 0, carol.id);
        assertEq(from, _expected(id, posted, carol));
    }

    function test_Draw_ANamedNodeWaitsForNothing() external {
        Terms memory t = _terms();
        _post(t);
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, alice.id);
        assertTrue(now_);
        assertEq(from, _now());
    }

    function test_Draw_ANamedNodeWaitsForTheStartOfTheTerms() external {
        Terms memory t = _terms();
        t.start = uint40(_now() + 1_000);
        _post(t);
        for (uint256 i; i < 2; ++i) {
            (bool now_, uint40 from) = market.drawn(t.pack(), 0, alice.id);
            assertEq(now_, i == 1);
            assertEq(from, t.start);
            vm.warp(t.start);
        }
    }

    function test_Drawn_SaysNeverToWhoMayNot() external {
        Terms memory t = _terms();
        _assertNever(t, alice.id, "not posted");
        _post(t);
        _assertNever(t, bob.id, "another node is named");
        _assertNever(t, 99, "no such node");

        Terms memory later = _terms();
        later.afterJob = market.jobId(t.pack());
        _post(later);
        _assertNever(later, alice.id, "the earlier job runs");
        vm.warp(t.expiry);
        (bool now_,) = market.drawn(t.pack(), 0, alice.id);
        assertTrue(now_, "the last second");
        vm.warp(t.expiry + 1);
        _assertNever(t, alice.id, "expired");
    }

    function test_Drawn_SaysNeverToTheNodeThatFailed() external {
        Work memory w = _lapsed(_inUsd(_terms()));
        _assertNever(w.t, alice.id, "its own lapsed lease");
    }

    /// @dev A node that offers a runtime in which nobody has staked divides by nothing.
    function test_Drawn_WithoutAnyStakeInTheRuntime() external {
        vm.prank(governor);
        market.allowRuntime(5, true);
        Actor memory bare = _register("bare", 32);
        _pass(10, 1);
        Terms memory t = _terms();
        (t.node, t.runtime) = (0, 5);
        _post(t);
        uint256 posted = _now();
        _mine();

        (bool now_, uint40 from) = market.drawn(t.pack(), 0, bare.id);
        assertFalse(now_);
        assertEq(from, posted + 30 minutes);
        _refuses(t, bare, posted + 30 minutes);
    }

    /// @dev A node without stake beside others that have some has no part of the draw to divide by.
    function test_Drawn_WithoutAnyStakeOfItsOwn() external {
        Actor memory bare = _register("bare", 2);
        _pass(10, 1);
        (Terms memory t,) = _open();
        uint256 posted = _now();
        _mine();
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, bare.id);
        assertFalse(now_);
        assertEq(from, posted + 30 minutes);
    }

    function _assertNever(Terms memory t, uint32 nodeId, string memory why) private view {
        (bool now_, uint40 from) = market.drawn(t.pack(), 0, nodeId);
        assertFalse(now_, why);
        assertEq(from, 0, why);
    }
}
