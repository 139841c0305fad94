// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Said} from "src-contracts/interfaces/IPanels.sol";
import {LeaseWordLib} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Panels and audits cost the same among a hundred times the nodes, jobs and shards.
contract GrowthSeatsGasTest is PanelTest {
    /// @dev What the last call cost, less its calldata, whose price depends on how many zero bytes an id happens to have.
    function _execution(bytes memory data) private view returns (uint256 gas_) {
        gas_ = vm.lastCallGas().gasTotalUsed;
        for (uint256 i; i < data.length; ++i) {
            gas_ -= data[i] == 0 ? 4 : 16;
        }
    }

    /// @dev A job of `shards` with one range of one shard at work, open to everyone.
    function _job(uint32 shards, uint8 seats) private returns (Work memory w) {
        Terms memory t = _panelTerms();
        (t.seats, t.shards, t.maxLease, t.minPrice) = (seats, shards, 1, t.maxPrice);
        if (seats == 1) t.auditBps = 10_000;
        _post(t);
        _pass(30 minutes, 2);
        (w.t, w.id, w.r, w.l.price) = (t, market.jobId(t.pack()), _result("right"), t.maxPrice);
    }

    /// @dev Sit first, sit bound, show one, agree.
    function _panel(uint32 shards) private returns (uint256[4] memory gas_) {
        Work memory w = _job(shards, 3);
        Work[] memory seats = new Work[](3);
        vm.prank(alice.operator);
        market.sit(w.t.pack(), 0, 1, alice.id, 0);
        gas_[0] = _execution(abi.encodeCall(market.sit, (w.t.pack(), 0, 1, alice.id, 0)));
        seats[0] = _seat(w, alice);
        _commit(seats[0]);
        seats[1] = _bound(w, bob);
        bytes32 commitment = seats[1].l.commitment;
        vm.prank(bob.operator);
        market.sit(w.t.pack(), 0, 1, bob.id, commitment);
        gas_[1] = _execution(abi.encodeCall(market.sit, (w.t.pack(), 0, 1, bob.id, commitment)));
        seats[2] = _bound(w, carol);
        vm.prank(carol.operator);
        market.sit(w.t.pack(), 0, 1, carol.id, seats[2].l.commitment);
        bytes memory data =
            abi.encodeCall(market.revealSeat, (w.t.pack(), 0, _bound(seats), 1, seats[1].r, seats[1].salt));
        market.revealSeat(w.t.pack(), 0, _bound(seats), 1, seats[1].r, seats[1].salt);
        gas_[2] = _execution(data);
        Said[] memory said = _said(seats, uint256(0));
        market.agree(w.t.pack(), 0, said);
        gas_[3] = _execution(abi.encodeCall(market.agree, (w.t.pack(), 0, said)));
    }

    /// @dev The seat that `n` takes now, with its commitment.
    function _bound(Work memory w, Actor memory n) private view returns (Work memory seat) {
        seat = abi.decode(abi.encode(w), (Work));
        (seat.n, seat.salt) = (n, keccak256(abi.encode(w.id, n.id, "salt")));
        (seat.l.node, seat.l.count, seat.l.deadline) = (n.id, 1, uint40(_now() + w.t.exec));
        seat.l.flags = Packing.flagsOf(w.t, 1) | LeaseWordLib.SEAT;
        seat.l.commitment = _commitmentOf(seat);
    }

    /// @dev Audit, and the auditor's commit.
    function _audit(uint32 shards) private returns (uint256[2] memory gas_) {
        Work memory w = _job(shards, 1);
        w = _claim(w.t, alice, 1);
        _commit(w);
        _pass(29 minutes, 2);
        vm.prank(bob.operator);
        market.audit(w.t.pack(), w.l.pack(), bob.id);
        gas_[0] = _execution(abi.encodeCall(market.audit, (w.t.pack(), w.l.pack(), bob.id)));
        Work memory seat = _seat(w, bob);
        bytes32 commitment = _commitmentOf(seat);
        vm.prank(bob.operator);
        market.commitSeat(w.id, seat.l.pack(), commitment);
        gas_[1] = _execution(abi.encodeCall(market.commitSeat, (w.id, seat.l.pack(), commitment)));
    }

    function test_Gas_OfPanelsAndAuditsIsTheSameInALargerMarket() external {
        _panel(2); // so that nothing is written for the first time
        uint256[4] memory small = _panel(2);
        uint256[2] memory smallAudit = _audit(2);
        for (uint256 i; i < 495; ++i) {
            _register(vm.toString(i), 2);
        }
        for (uint256 i; i < 100; ++i) {
            _post(_panelTerms());
        }
        uint256[4] memory large = _panel(200);
        uint256[2] memory largeAudit = _audit(200);
        for (uint256 i; i < 4; ++i) {
            assertApproxEqAbs(
                large[i], small[i], 250, "the bits of a hash, and a branch of the draw; one slot more were 2,100"
            );
        }
        for (uint256 i; i < 2; ++i) {
            assertApproxEqAbs(largeAudit[i], smallAudit[i], 250, "audit");
        }
    }
}
