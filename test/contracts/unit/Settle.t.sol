// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

contract SettleTest is MarketTest {
    function _refuses(Work memory w, bytes memory error) private {
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        vm.expectRevert(error);
        market.settle(w.t.pack(), Packing.pack(leases), results);
    }

    function test_Settle_PaysOwnerAndProtocolAndRefundsTheRest() external {
        Terms memory t = _terms();
        uint256 before = _balance(address(dpu), requester);
        _post(t);
        vm.warp(_now() + 60);
        Work memory w = _claim(t, alice, 1); // at 1.1
        _show(w);
        _pass(t.window + 1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.JobCompleted(w.id, 0.9e18);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseSettled(w.id, alice.id, 0, 1.067e18, 0.033e18, 5_000);
        vm.prank(stranger);
        _settle(w);

        assertEq(_balance(address(dpu), alice.owner), 1.067e18);
        assertEq(_fees(address(dpu)), 0.033e18);
        assertEq(before - _balance(address(dpu), requester), 1.1e18);
        assertEq(market.node(alice.id).locked, 0);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        assertEq(market.job(w.id).at, _now());
    }

    /// @dev Work that a requester handed to its own choice, or waved through, proves nothing to others.
    function test_Settle_OfDrawnWorkRaisesTheRecord() external {
        Terms memory t = _direct();
        t.node = 0;
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
        assertEq(_record(alice), 5_078, "a 64th of the way to 10,000");

        t = _direct();
        t.node = 0;
        _post(t);
        _pass(30 minutes, 2);
        _accept(_claim(t, alice, 1));
        _settled(_direct());
        assertEq(_record(alice), 5_078, "accepted, and named");
    }

    function test_Settle_InSixDecimals() external {
        Work memory w = _settled(_inUsd(_direct()));
        assertEq(_balance(address(usd), alice.owner), 0.97e6);
        assertEq(_fees(address(usd)), 0.03e6);
        assertEq(_balance(address(dpu), alice.owner), 0);
        assertEq(w.l.price, 1e6);
    }

    function test_Settle_FeeRoundsDown() external {
        Terms memory t = _inUsd(_direct());
        (t.minPrice, t.maxPrice) = (33, 33);
        _settled(t);
        assertEq(_fees(address(usd)), 0);
        assertEq(_balance(address(usd), alice.owner), 33);
    }

    function test_Settle_PartsOfAJobOneByOne() external {
        Terms memory t = _many(5, 2);
        Work memory a = _claimed(t);
        Work memory b = _claim(t, alice, 2);
        Work memory c = _claim(t, alice, 2);
        _show(a);
        _show(b);
        _show(c);
        Job memory j = market.job(a.id);
        _pass(t.window + 1, 1);

        _settle(b);
        (j.busy, j.done, j.left) = (3, 2, 8e18);
        _assertJob(a.id, j);
        assertEq(uint8(_phase(b)), uint8(Phase.None), "no word is left");
        _settle(a);
        vm.expectEmit(address(market));
        emit JobFacts.JobCompleted(a.id, 5e18);
        _settle(c);

        _assertJob(a.id, Job(JobState.Complete, uint40(_now()), 0, 0, 0, 0, 0));
        assertEq(_balance(address(dpu), alice.owner), 4.85e18);
        assertEq(market.node(alice.id).locked, 0);
    }

    function test_Settle_ManyInOneCall() external {
        Terms memory t = _many(64, 16);
        t.direct = true;
        _post(t);
        Lease[] memory leases = new Lease[](4);
        Result[] memory results = new Result[](4);
        for (uint256 i; i < 4; ++i) {
            Work memory w = _claim(t, alice, 16);
            _show(w);
            (leases[3 - i], results[3 - i]) = (w.l, w.r);
        }
        _pass(t.window + 1, 1);
        market.settle(t.pack(), Packing.pack(leases), results);
        assertEq(uint8(_state(market.jobId(t.pack()))), uint8(JobState.Complete));
        assertEq(_balance(address(dpu), alice.owner), 62.08e18);
    }

    function test_Settle_OfNothingDoesNothing() external {
        market.settle(_terms().pack(), Packing.pack(new Lease[](0)), new Result[](0));
    }

    function test_Settle_ClosesAnExpiredJobWithTheLastLivingLease() external {
        Terms memory t = _many(5, 2);
        Work memory w = _revealed(t);
        vm.warp(t.expiry + 1);

        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(w.id, 8e18);
        _settle(w);
        assertEq(uint8(_state(w.id)), uint8(JobState.Closed));
    }

    function test_Settle_LeavesAnUnexpiredJobOpen() external {
        Terms memory t = _many(5, 2);
        Work memory w = _revealed(t);
        vm.warp(t.expiry);
        _settle(w);
        assertEq(uint8(_state(w.id)), uint8(JobState.Open));
    }

    function test_Settle_ClosesACancelledJobWithTheLastLivingLease() external {
        Terms memory t = _many(5, 2);
        Work memory a = _revealed(t);
        Work memory b = _claim(t, alice, 1);
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(t.pack());
        _pass(t.window, 1);

        _settle(a);
        assertEq(uint8(_state(a.id)), uint8(JobState.Cancelled), "b lives");
        _show(b);
        _pass(t.window + 1, 1);
        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(a.id, 3e18);
        _settle(b);
        assertEq(uint8(_state(a.id)), uint8(JobState.Closed));
    }

    function test_Settle_FromTheSecondAfterTheWindow() external {
        Work memory w = _revealed(_terms());
        uint256 held = _now() + w.t.window;
        vm.warp(held);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(held + 1)));
        vm.warp(held + 1);
        _settle(w);
    }

    function test_Settle_WithoutAWindowInTheSameTransaction() external {
        Terms memory t = _direct();
        t.window = 0;
        Work memory w = _claimed(t);
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.submit, (w.id, w.l.pack(), w.r));
        calls[1] = abi.encodeCall(market.settle, (t.pack(), Packing.pack(leases), results));

        vm.prank(alice.operator);
        Multicall(address(market)).multicall(calls);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
    }

    function test_Settle_WorksWhilePaused() external {
        Work memory w = _revealed(_terms());
        _pause();
        _pass(w.t.window + 1, 1);
        _settle(w);
    }

    function test_RevertWhen_Settle_LengthsDiffer() external {
        Work memory w = _revealed(_terms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LengthMismatch.selector, 1, 0));
        market.settle(w.t.pack(), Packing.pack(new Lease[](1)), new Result[](0));
    }

    function test_RevertWhen_Settle_NotRevealed() external {
        Work memory w = _claimed(_terms());
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Claimed, Phase.Revealed));
        _commit(w);
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Committed, Phase.Revealed));
    }

    function test_RevertWhen_Settle_Twice() external {
        Work[2] memory works = [_settled(_terms()), _settled(_many(4, 2))];
        for (uint256 i; i < 2; ++i) {
            Work memory w = works[i];
            _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Revealed));
        }
    }

    function test_RevertWhen_Settle_TheSameLeaseTwiceInOneCall() external {
        Work memory w = _revealed(_many(4, 2));
        _pass(w.t.window + 1, 1);
        Lease[] memory leases = new Lease[](2);
        Result[] memory results = new Result[](2);
        (leases[0], leases[1], results[0], results[1]) = (w.l, w.l, w.r, w.r);

        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Revealed));
        market.settle(w.t.pack(), Packing.pack(leases), results);
    }

    function test_RevertWhen_Settle_LeaseOrResultIsNotTheRevealed() external {
        Work[2] memory works = [_revealed(_terms()), _revealed(_many(4, 2))];
        _pass(works[0].t.window + 1, 1);
        for (uint256 k; k < 2; ++k) {
            Work memory w = works[k];
            bytes memory error = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0);
            bytes memory lease = abi.encode(w.l);
            bytes memory result = abi.encode(w.r);
            for (uint256 i; i < 8; ++i) {
                w.l = abi.decode(lease, (Lease));
                w.r = abi.decode(result, (Result));
                if (i == 0) w.l.price += 1;
                if (i == 1) w.l.count += 1;
                if (i == 2) w.l.node = bob.id;
                if (i == 3) w.l.bonus += 1;
                if (i == 4) w.l.deadline += 1;
                if (i == 5) w.r.root = 0;
                if (i == 6) w.r.units += 1;
                if (i == 7) w.r.manifest = 0;
                _refuses(w, error);
            }
        }
    }

    function test_RevertWhen_Settle_TermsAreNotTheJobs() external {
        Work memory w = _revealed(_terms());
        _pass(w.t.window + 1, 1);
        w.t.window = 0;
        _refuses(
            w,
            abi.encodeWithSelector(
                JobFacts.LeaseInPhase.selector, market.jobId(w.t.pack()), 0, Phase.None, Phase.Revealed
            )
        );
    }
}
