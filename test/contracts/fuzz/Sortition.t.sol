// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev The draw in the large: 600 seeds for one job, the same in every run, so that the counts are exact and the bounds wide.
contract SortitionTest is MarketTest {
    uint256 private constant SEEDS = 600;

    Terms private t;
    uint256 private posted;
    uint256 private postedIn;
    Actor private whale;
    Actor[10] private parts;

    function setUp() public override {
        super.setUp();
        whale = _node("whale", 20_000e18);
        for (uint256 i; i < 10; ++i) {
            parts[i] = _node(vm.toString(i), 2_000e18);
        }
        _pass(1 hours, 1); // with alice, bob and carol: 70,000 in all
        t = _terms();
        t.node = 0;
        _post(t);
        (posted, postedIn) = (_now(), vm.getBlockNumber());
        _pass(2, 2);
    }

    /// @dev Seconds that `n` waits under seed `i`.
    function _wait(uint256 i, Actor memory n) private returns (uint256) {
        vm.setBlockhash(postedIn + 1, keccak256(abi.encode("seed", i)));
        (, uint40 from) = market.drawn(t.pack(), 0, n.id);
        return from - posted;
    }

    /// @dev Ten nodes with a tenth each are first no more often than one node with all of it.
    function test_Draw_SplittingAStakeGainsNothing() external {
        uint256 one;
        uint256 ten;
        uint256 any;
        for (uint256 i; i < SEEDS; ++i) {
            if (_wait(i, whale) == 0) ++one;
            uint256 in_;
            for (uint256 k; k < 10; ++k) {
                if (_wait(i, parts[k]) == 0) ++in_;
            }
            ten += in_;
            if (in_ != 0) ++any;
        }
        // Stake 2/7, record 1/2, two expected: 2/7 of the seeds, which is 171; six sigma are 66.
        assertApproxEqAbs(one, 171, 66, "the whole stake");
        assertApproxEqAbs(ten, 171, 66, "its parts together");
        assertLe(any, ten, "at least one part");
        assertLt(any, one + 50, "splitting gains nothing");
    }

    /// @dev Whoever waits longer was less lucky by the rule: the share that is in grows with each step and ends with all.
    function test_Draw_GrowsUntilEverybodyMay() external {
        uint256[4] memory until = [uint256(0), 5 minutes, 15 minutes, 30 minutes];
        uint256[4] memory in_;
        for (uint256 i; i < SEEDS; ++i) {
            uint256 wait = _wait(i, parts[0]);
            for (uint256 k; k < 4; ++k) {
                if (wait <= until[k]) ++in_[k];
            }
        }
        // 1/70 · (2 + steps): 17, 103, 274 of 600, and all.
        assertApproxEqAbs(in_[0], 17, 25);
        assertApproxEqAbs(in_[1], 103, 56);
        assertApproxEqAbs(in_[2], 274, 74);
        assertEq(in_[3], SEEDS);
    }

    /// @dev A node that failed is drawn less: half the record, half the chance.
    function test_Draw_FollowsTheRecord() external {
        uint256 before;
        for (uint256 i; i < SEEDS; ++i) {
            if (_wait(i, whale) == 0) ++before;
        }
        Terms memory other = _inUsd(_terms());
        other.node = whale.id;
        _post(other);
        Work memory w = _claim(other, whale, 1);
        _commit(w);
        vm.warp(_now() + 10 minutes + 1);
        market.lapse(other.pack(), w.l.pack());
        assertEq(_record(whale), 2_500);
        uint256 after_;
        for (uint256 i; i < SEEDS; ++i) {
            if (_wait(i, whale) == 0) ++after_;
        }
        assertLt(after_, before);
        assertApproxEqAbs(after_, before / 2, 40);
    }
}
