// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Said} from "src-contracts/interfaces/IPanels.sol";
import {GasTest} from "test/contracts/gas/GasTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Whole lives of ranges that several nodes compute, from post to payment.
contract SeatsGasTest is GasTest {
    Actor private dave;
    Actor private erin;

    function setUp() public override {
        super.setUp();
        (dave, erin) = (_node("dave", STAKE), _node("erin", STAKE));
        _use(dave);
        _use(erin);
    }

    /// @dev Two more who have worked before, in both currencies.
    function _use(Actor memory n) private {
        Actor memory kept = alice;
        alice = n;
        for (uint256 i; i < 2; ++i) {
            Terms memory t = i == 0 ? _direct() : _inUsd(_direct());
            t.node = n.id;
            _settled(t);
        }
        alice = kept;
    }

    function test_Gas_ThreeSeats() external {
        what = "three seats, DPU";
        _report(_panel(_seated(3, 1, false), false));
    }

    function test_Gas_ThreeSeatsClaimAndCommitTogether() external {
        what = "three seats, claim and commit together, DPU";
        _report(_panel(_seated(3, 1, false), true));
    }

    function test_Gas_ThreeSeatsClaimAndCommitTogetherInErc20() external {
        what = "three seats, claim and commit together, ERC-20";
        _report(_panel(_seated(3, 1, true), true));
    }

    function test_Gas_FiveSeatsClaimAndCommitTogether() external {
        what = "five seats, claim and commit together, DPU";
        _report(_panel(_seated(5, 1, false), true));
    }

    function test_Gas_FiveSeatsClaimAndCommitTogetherInErc20() external {
        what = "five seats, claim and commit together, ERC-20";
        _report(_panel(_seated(5, 1, true), true));
    }

    function test_Gas_PerShardOf64WithThreeSeats() external {
        what = "per shard, 64 in one range, three seats";
        _report(_panel(_seated(3, 64, false), true) / 64);
    }

    function test_Gas_PerShardOf64WithFiveSeats() external {
        what = "per shard, 64 in one range, five seats";
        _report(_panel(_seated(5, 64, false), true) / 64);
    }

    function _seated(uint8 seats, uint32 shards, bool inUsd) private returns (Terms memory t) {
        t = _job(false, inUsd);
        (t.seats, t.shards, t.window, t.minPrice) = (seats, shards, 0, t.maxPrice);
    }

    /// @dev `together`: each node computes first, then sits and commits in one call.
    function _panel(Terms memory t, bool together) private returns (uint256) {
        vm.prank(t.requester);
        market.post(t.pack());
        _add();
        _pass(t.exec, 2);
        Actor[5] memory actors = [alice, bob, carol, dave, erin];
        Said[] memory said = new Said[](t.seats);
        for (uint256 i; i < t.seats; ++i) {
            _pass(1, 1);
            Work memory w = _expected(t, actors[i]);
            bytes32 commitment = _commitmentOf(w);
            vm.startPrank(w.n.operator);
            market.sit(t.pack(), 0, t.maxLease, w.n.id, together ? commitment : bytes32(0));
            _add();
            if (!together) {
                market.commitSeat(w.id, w.l.pack(), commitment);
                _add();
            }
            vm.stopPrank();
            said[i] = Said(w.l.word(), w.r, w.salt);
        }
        market.agree(t.pack(), 0, said);
        _add();
        return sum;
    }
}
