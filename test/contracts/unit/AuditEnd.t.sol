// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Outcome, PanelLib} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev How an audit ends, and who pays: every row of docs/assurance.md about two seats. One shard at 2 DPU, held by alice, audited by bob; what
/// the protocol pays comes out of 100 DPU of the treasury.
contract AuditEndTest is PanelTest {
    uint256 private constant POOL = 100e18;
    uint256 private before;

    function _params() internal view override returns (Params memory p) {
        p = super._params();
        p.auditRates = 0xaaa8;
    }

    function setUp() public override {
        super.setUp();
        market.deposit(address(dpu), treasury, POOL);
        before = _balance(address(dpu), requester);
    }

    /* HELPERS */

    function _auditable(uint16 bought, uint32 window) private returns (Terms memory t) {
        t = _terms();
        (t.node, t.auditBps, t.window, t.minPrice) = (0, bought, window, t.maxPrice);
        t.expiry = uint40(_now() + 1 hours);
    }

    /// @dev Held, committed to `r`, drawn, and bob sits beside it. `pooled`: the protocol pays.
    function _audited(Terms memory t, Result memory r, bool pooled) private returns (Work[] memory seats) {
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, t.maxLease);
        w.r = r;
        _commit(w);
        if (pooled) _roll(w, 0, 200);
        else _roll(w, 200, 200 + uint256(t.auditBps));
        _pass(29 minutes + 57 seconds, 1);
        seats = _auditedBy(w, bob);
        assertEq(_balance(address(dpu), treasury), pooled ? POOL - 2e18 : POOL);
    }

    function _audited(uint32 window) private returns (Work[] memory) {
        return _audited(_auditable(0, window), _result("right"), true);
    }

    function _paid(uint256 holder, uint256 auditor, uint256 byRequester, uint256 pool) private view {
        assertEq(_balance(address(dpu), alice.owner), holder, "holder");
        assertEq(_balance(address(dpu), bob.owner), auditor, "auditor");
        assertEq(before - _balance(address(dpu), requester), byRequester, "requester");
        assertEq(_balance(address(dpu), treasury), pool, "pool");
        _assertSolvent(0);
    }

    /* BOTH SPEAK */

    function test_Audit_EqualResultsArePaidBoth() external {
        Work[] memory seats = _audited(0);
        _commit(seats[1]);
        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);
        _paid(1.94e18, 1.94e18, 2e18, POOL - 2e18);
        assertEq(_record(alice), 5_078);
        assertEq(_record(bob), 5_078);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Audit_BoughtIsPaidFromTheEscrow() external {
        Work[] memory seats = _audited(_auditable(5_000, 0), _result("right"), false);
        _commit(seats[1]);
        _agree(seats);
        _paid(1.94e18, 1.94e18, 4e18, POOL);
    }

    function test_Audit_BoughtButDrawnForTheProtocolComesBack() external {
        Work[] memory seats = _audited(_auditable(5_000, 0), _result("right"), true);
        _commit(seats[1]);
        _agree(seats);
        _paid(1.94e18, 1.94e18, 2e18, POOL - 2e18);
    }

    function test_Audit_BoughtButNotDrawnComesBack() external {
        Terms memory t = _auditable(5_000, 0);
        _post(t);
        assertEq(before - _balance(address(dpu), requester), 4e18, "an auditor for the shard");
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _commit(w);
        _roll(w, 5_200, 10_000);
        _reveal(w);
        _settle(w);
        _paid(1.94e18, 0, 2e18, POOL);
    }

    function test_Audit_ResultsThatDifferArePaidHalf() external {
        Work[] memory seats = _audited(0);
        seats[1].r = _result("another");
        _commit(seats[1]);
        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Unresolved, seats[0].r);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseRevealed(seats[0].id, bob.id, 0, seats[1].r);
        _agree(seats);
        _paid(0.97e18, 0.97e18, 1e18, POOL - 1e18);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE);
        assertEq(_record(alice), 5_000);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
    }

    function test_Audit_BoughtResultsThatDifferArePaidHalf() external {
        Work[] memory seats = _audited(_auditable(5_000, 0), _result("right"), false);
        seats[1].r = _result("another");
        _commit(seats[1]);
        _agree(seats);
        _paid(0.97e18, 0.97e18, 2e18, POOL);
    }

    function test_Audit_WithAWindowEachIsShownFirst() external {
        Work[] memory seats = _audited(120);
        _commit(seats[1]);
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 121)));
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        _pass(120, 1);
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1)));
        _pass(1, 1);
        _agree(seats);
        _paid(1.94e18, 1.94e18, 2e18, POOL - 2e18);
    }

    /* FAULTS */

    function test_Audit_AFaultThatBothFindEarnsTheKillFee() external {
        Work[] memory seats = _audited(_auditable(0, 120), Result(LeaseLib.SPEC_FAULT, 0, 0), true);
        _commit(seats[1]);
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        _pass(121, 1);
        _agree(seats);
        _paid(0.97e18, 0.97e18, 1e18, POOL - 1e18);
        assertEq(_record(alice), 5_000);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
    }

    /// @dev A finding that costs its holder nothing when it is not drawn must not pay when it is.
    function test_Audit_AFaultThatNobodyMayChallengeEarnsNobodyAnything() external {
        for (uint256 i; i < 2; ++i) {
            uint256 at = vm.snapshotState();
            Result memory fault = Result(LeaseLib.SPEC_FAULT, 0, 0);
            Work[] memory seats = _audited(_auditable(0, 0), i == 0 ? fault : _result("right"), true);
            seats[1].r = i == 0 ? _result("right") : fault;
            _commit(seats[1]);
            _agree(seats);
            _paid(0, 0, 0, POOL);
            _assertFree(alice, STAKE);
            _assertFree(bob, STAKE);
            vm.revertToState(at);
        }
    }

    function test_Audit_AFaultAgainstAResultIsHalfEachWhereItMayBeChallenged() external {
        Work[] memory seats = _audited(_auditable(0, 120), Result(LeaseLib.SPEC_FAULT, 0, 0), true);
        seats[1].r = _result("right");
        _commit(seats[1]);
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        _pass(121, 1);
        _agree(seats);
        _paid(0.97e18, 0.97e18, 1e18, POOL - 1e18);
    }

    /* ONE FAILS */

    function test_Audit_AuditorLapsesAndTheHolderEndsAlone() external {
        Work[] memory seats = _audited(0);
        vm.warp(uint256(seats[1].l.deadline) + 1);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(seats[0].id, bob.id, 0, 1.6e18, 0.64e18, 4_375, false);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        assertEq(_balance(address(dpu), treasury), POOL + 0.16e18, "what was set aside came back");
        assertEq(market.panel(seats[0].id, 0).marks, PanelLib.BONUS, "nothing of the pool's waits any more");
        _assertFree(bob, STAKE - 1.6e18);
        uint256 at = vm.snapshotState();

        Work[] memory alone = new Work[](1);
        alone[0] = seats[0];
        _cannotSit(seats[0], carol, abi.encodeWithSelector(JobFacts.OneSeat.selector, seats[0].id));
        vm.warp(_now() + 10 minutes);
        _agree(alone);
        _paid(1.94e18, 0, 2e18, POOL + 0.16e18 + 0.64e18);
        _assertFree(alice, STAKE);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));

        vm.revertToState(at); // and if it withholds
        vm.warp(_now() + 10 minutes);
        _refuses(alone, 1, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1)));
        vm.warp(_now() + 1);
        _agree(alone, 1);
        _assertFree(alice, STAKE - 8e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Open));
        _assertSolvent(2e18 + 0.64e18 + 3.2e18);
    }

    function test_Audit_AuditorWithholdsAndTheHolderIsPaidWhole() external {
        Work[] memory seats = _audited(0);
        _commit(seats[1]);
        _revealSeat(seats, 0);
        _pass(10 minutes, 1);
        _refuses(seats, 2, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1)));
        _pass(1, 1);
        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, true);
        _agree(seats, 2);
        _paid(1.94e18, 0, 2e18, POOL + 4e18);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE - 8e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Audit_HolderWithholdsAndTheAuditorsResultStands() external {
        Work[] memory seats = _audited(0);
        seats[1].r = _result("the auditor's");
        _commit(seats[1]);
        _revealSeat(seats, 1);
        _pass(10 minutes + 1, 1);
        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[1].r);
        _agree(seats, 1);
        _paid(0, 1.94e18, 0, POOL - 2e18 + 4e18);
        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Audit_BothWithholdAndTheRangeIsFreeAgain() external {
        Work[] memory seats = _audited(0);
        _commit(seats[1]);
        _pass(10 minutes + 1, 1);
        _agree(seats, 3);
        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE - 8e18);
        assertEq(_balance(address(dpu), treasury), POOL + 2 * 0.8e18, "set aside for nothing, and a tenth of two bonds");
        assertEq(uint8(_phase(seats[0])), uint8(Phase.Lapsed));
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Open));
        _assertSolvent(2e18 + 6.4e18);
        vm.warp(uint256(seats[0].t.expiry) + 1);
        market.close(seats[0].t.pack());
        market.sweep(seats[0].id, 0);
        _assertSolvent(0);
    }

    /* SHARED JOBS */

    function test_Audit_OfARangeInACancelledJob() external {
        Terms memory t = _auditable(10_000, 0);
        (t.shards, t.maxLease, t.rules) = (4, 2, _rules(_withoutBase()));
        _post(t);
        assertEq(before - _balance(address(dpu), requester), 16e18);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 2);
        _commit(w);
        vm.prank(requester);
        market.cancel(t.pack());
        assertEq(before - _balance(address(dpu), requester), 8e18, "two shards, each with an auditor");
        _pass(29 minutes + 59 seconds, 2);
        Work[] memory seats = _auditedBy(w, bob);
        _commit(seats[1]);
        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(w.id, 0);
        _agree(seats);
        _paid(3.88e18, 3.88e18, 8e18, POOL);
    }

    function _withoutBase() private returns (uint16) {
        Params memory p = _params();
        p.auditRates = 0;
        vm.prank(governor);
        return market.addParams(p);
    }

    function test_Audit_UnresolvedRangeOfASharedJob() external {
        Terms memory t = _auditable(0, 0);
        (t.shards, t.maxLease) = (2, 1);
        Work[] memory seats = _audited(t, _result("right"), true);
        seats[1].r = _result("another");
        _commit(seats[1]);
        _agree(seats);
        assertEq(market.job(seats[0].id).left, 3e18);
        assertEq(market.job(seats[0].id).busy, 0);
        assertEq(market.job(seats[0].id).done, 0);
        vm.warp(uint256(t.expiry) + 1);
        // It was the last living range of an expired job, or closes by a call.
        if (_state(seats[0].id) == JobState.Open) market.close(t.pack());
        _paid(0.97e18, 0.97e18, 1e18, POOL - 1e18);
    }
}
