// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Said} from "src-contracts/interfaces/IPanels.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {GasTest} from "test/contracts/gas/GasTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Whole lives: the sum of every transaction from post to payment. The targets are those of DESIGN.md §5.
contract TotalsGasTest is GasTest {
    function _postAndClaim(Terms memory t) private returns (Work memory w) {
        vm.prank(t.requester);
        market.post(t.pack());
        _add();
        _draw(t);
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, t.maxLease);
        _add();
        return _work(t, alice, 0);
    }

    function _finish(Work memory w) private {
        if (w.t.direct) {
            _submit(w);
            _add();
        } else {
            bytes32 commitment = _commitmentOf(w);
            vm.prank(w.n.operator);
            market.commit(w.id, w.l.pack(), commitment);
            _add();
            (w.l.commitment, w.l.committedBlock) = (commitment, uint40(vm.getBlockNumber()));
            _spare(w, 200);
            _reveal(w);
            _add();
        }
        _pass(w.t.window + 1, 1);
        _settle(w);
        _add();
    }

    function test_Gas_Direct() external {
        what = "direct, DPU";
        _finish(_postAndClaim(_job(true, false)));
        _report(sum);
    }

    function test_Gas_DirectInErc20() external {
        what = "direct, ERC-20";
        _finish(_postAndClaim(_job(true, true)));
        _report(sum);
    }

    function test_Gas_CommitAuditDrawAndReveal() external {
        what = "commit, audit draw, reveal, DPU";
        Terms memory t = _job(false, false);
        t.rules = _rules(_auditing());
        _finish(_postAndClaim(t));
        _report(sum);
    }

    function test_Gas_CommitAuditDrawAndRevealInErc20() external {
        what = "commit, audit draw, reveal, ERC-20";
        Terms memory t = _job(false, true);
        t.rules = _rules(_auditing());
        _finish(_postAndClaim(t));
        _report(sum);
    }

    /// @dev Shows and settles in one transaction: the requester asked for no window, and posted one price.
    function _finishAtOnce(Work memory w) private {
        bytes[] memory calls = new bytes[](2);
        if (w.t.direct) {
            calls[0] = abi.encodeCall(market.submit, (w.id, w.l.pack(), w.r));
        } else {
            bytes32 commitment = _commitmentOf(w);
            vm.prank(w.n.operator);
            market.commit(w.id, w.l.pack(), commitment);
            _add();
            (w.l.commitment, w.l.committedBlock) = (commitment, uint40(vm.getBlockNumber()));
            _spare(w, 200);
            calls[0] = abi.encodeCall(market.reveal, (w.t.pack(), w.l.pack(), w.r, w.salt));
        }
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        calls[1] = abi.encodeCall(market.settle, (w.t.pack(), Packing.pack(leases), results));
        vm.prank(w.n.operator);
        Multicall(address(market)).multicall(calls);
        _add();
    }

    function _flat(Terms memory t) private pure returns (Terms memory) {
        (t.window, t.minPrice) = (0, t.maxPrice);
        return t;
    }

    function test_Gas_DirectWithoutAWindow() external {
        what = "direct, no window, one price";
        _finishAtOnce(_postAndClaim(_flat(_job(true, false))));
        _report(sum);
    }

    function test_Gas_CommitAuditDrawAndRevealWithoutAWindow() external {
        what = "commit, audit draw, reveal, no window, one price";
        Terms memory t = _flat(_job(false, false));
        t.rules = _rules(_auditing());
        _finishAtOnce(_postAndClaim(t));
        _report(sum);
    }

    function test_Gas_DirectAcceptedBySignature() external {
        what = "direct, accepted by signature";
        Work memory w = _postAndClaim(_job(true, false));
        _submit(w);
        _add();
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        _add();
        _report(sum);
    }

    function test_Gas_SignedOrderAndSignedAcceptance() external {
        what = "signed order, signed acceptance";
        Terms memory t = _job(true, false);
        bytes memory order = _order(t);
        vm.prank(alice.operator);
        market.claimOrder(t.pack(), order, alice.id, 1);
        _add();
        Work memory w = _work(t, alice, 0);
        bytes memory signature = _acceptance(t, 0, alice.id, w.r);
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        _add();
        _report(sum);
    }

    function test_Gas_SignedOrderInOneTransaction() external {
        what = "signed order and acceptance, one transaction";
        Terms memory t = _job(true, false);
        Result memory r = _result("r");
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, alice.id, r);
        market.settleOrder(t.pack(), order, alice.id, r, acceptance);
        _add();
        _report(sum);
    }

    function test_Gas_PerShardOfALeaseOf64() external {
        what = "per shard, 64 in one lease";
        Terms memory t = _job(true, false);
        t.shards = 64;
        _finish(_postAndClaim(t));
        _report(sum / 64);
    }

    function test_Gas_PerShardOfALeaseOf64WithCommit() external {
        what = "per shard, 64 in one lease, with commit";
        Terms memory t = _job(false, false);
        (t.shards, t.rules) = (64, _rules(_auditing()));
        _finish(_postAndClaim(t));
        _report(sum / 64);
    }

    function test_Gas_PerShardOf256InFourLeases() external {
        what = "per shard, 256 in four leases, settled together";
        Terms memory t = _job(true, true);
        t.shards = 256;
        vm.prank(requester);
        market.post(t.pack());
        _add();
        _draw(t);
        Lease[] memory leases = new Lease[](4);
        Result[] memory results = new Result[](4);
        for (uint32 i; i < 4; ++i) {
            (, uint40 from) = market.drawn(t.pack(), i * 64, alice.id);
            if (from > _now()) vm.warp(from);
            vm.prank(alice.operator);
            market.claim(t.pack(), alice.id, 64);
            _add();
            Work memory w = _work(t, alice, i * 64);
            _submit(w);
            _add();
            (leases[i], results[i]) = (w.l, w.r);
        }
        _pass(t.window + 1, 1);
        market.settle(t.pack(), Packing.pack(leases), results);
        _add();
        _report(sum / 256);
    }

    /* AUDITS */

    /// @dev One lease that is drawn, with its auditor, and both paid by `agree`.
    function test_Gas_AuditedWithItsAuditor() external {
        what = "audited, with its auditor, DPU";
        market.deposit(address(dpu), treasury, 10e18);
        Terms memory t = _flat(_job(false, false));
        t.rules = _rules(_auditing());
        Work memory w = _postAndClaim(t);
        bytes32 commitment = _commitmentOf(w);
        vm.prank(alice.operator);
        market.commit(w.id, w.l.pack(), commitment);
        _add();
        (w.l.commitment, w.l.committedBlock) = (commitment, uint40(vm.getBlockNumber()));
        _pass(2, 2);
        bytes32 seed = keccak256("seed");
        while (uint256(keccak256(abi.encode(seed, w.id, uint256(0), "audit"))) % 10_000 >= 200) {
            seed = keccak256(abi.encode(seed));
        }
        vm.setBlockhash(w.l.committedBlock + 1, seed);
        vm.warp(_now() + 29 minutes);
        vm.startPrank(bob.operator);
        market.audit(t.pack(), w.l.pack(), bob.id);
        _add();
        Work memory a = _expected(t, bob);
        a.r = w.r;
        commitment = _commitmentOf(a);
        market.commitSeat(a.id, a.l.pack(), commitment);
        _add();
        vm.stopPrank();
        Said[] memory said = new Said[](2);
        (said[0], said[1]) = (Said(w.l.word(), w.r, w.salt), Said(a.l.word(), a.r, a.salt));
        market.agree(t.pack(), 0, said);
        _add();
        _report(sum);
    }
}
