// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Earned, IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev What settled work leaves for credits: good once, for the exact work, only to the credits contract.
contract ReceiptsTest is PanelTest {
    address private minter = makeAddr("credits");

    function setUp() public override {
        super.setUp();
        vm.prank(governor);
        market.setCredits(minter);
    }

    /* HELPERS */

    /// @dev Drawn, committed, revealed and settled by alice.
    function _drawnWork(Terms memory t) private returns (Work memory w) {
        t.expiry = uint40(_now() + 1 hours);
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, t.maxLease);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
    }

    function _strangers() private returns (Terms memory t) {
        t = _terms();
        t.node = 0;
    }

    function _one(Work memory w) private pure returns (Lease[] memory leases, Result[] memory results) {
        (leases, results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (w.l, w.r);
    }

    function _redeem(Work memory w) private returns (Earned[] memory) {
        (Lease[] memory leases, Result[] memory results) = _one(w);
        vm.prank(minter);
        return market.redeem(w.t.pack(), Packing.pack(leases), results);
    }

    function _unknown(Work memory w) private {
        (Lease[] memory leases, Result[] memory results) = _one(w);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptUnknown.selector, w.id, w.l.first));
        vm.prank(minter);
        market.redeem(w.t.pack(), Packing.pack(leases), results);
    }

    function _panelParts(Work[] memory seats) private pure returns (Lease[] memory leases, Result[] memory results) {
        (leases, results) = (new Lease[](seats.length), new Result[](seats.length));
        for (uint256 i; i < seats.length; ++i) {
            (leases[i], results[i]) = (seats[i].l, seats[i].r);
        }
    }

    function _redeemPanel(Work[] memory seats) private returns (Earned[] memory) {
        (Lease[] memory leases, Result[] memory results) = _panelParts(seats);
        vm.prank(minter);
        return market.redeemPanel(seats[0].t.pack(), Packing.pack(leases), results);
    }

    function _unknownPanel(Work[] memory seats) private {
        (Lease[] memory leases, Result[] memory results) = _panelParts(seats);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptUnknown.selector, seats[0].id, seats[0].l.first));
        vm.prank(minter);
        market.redeemPanel(seats[0].t.pack(), Packing.pack(leases), results);
    }

    /* SINGLE LEASES */

    function test_Redeem_OfAWholeJobOnce() external {
        Work memory w = _drawnWork(_strangers());
        Earned[] memory earned = _redeem(w);
        assertEq(abi.encode(earned[0]), abi.encode(Earned(alice.owner, alice.id, w.r.units, 2e18, 1)));
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete), "it stays complete");
        uint256 tombstone = (uint256(JobState.Complete) << 248) | (_now() << 208);
        assertEq(_storedWord(w.id), tombstone, "its receipt is gone, and nothing else");
        _unknown(w);
        // And its id stays taken.
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Complete, JobState.None));
        _post(w.t);
    }

    function test_Redeem_OfAPartOnce() external {
        Terms memory t = _strangers();
        (t.shards, t.maxLease) = (4, 2);
        Work memory w = _drawnWork(t);
        assertEq(uint8(_phase(w)), uint8(Phase.Settled));
        Earned[] memory earned = _redeem(w);
        assertEq(earned[0].count, 2);
        assertEq(market.leaseWord(w.id, 0), 0, "its slot is free");
        _unknown(w);
    }

    function test_RevertWhen_Redeem_NotTheExactWork() external {
        Work memory w = _drawnWork(_strangers());
        bytes memory saved = abi.encode(w);
        for (uint256 i; i < 9; ++i) {
            Work memory other = abi.decode(saved, (Work));
            if (i == 0) other.l.price += 1;
            if (i == 1) other.l.count += 1;
            if (i == 2) other.l.node = bob.id;
            if (i == 3) other.l.bonus += 1;
            if (i == 4) other.l.deadline += 1;
            if (i == 5) other.l.flags = 0; // as if it were a part
            if (i == 6) other.r.units += 1;
            if (i == 7) other.r.root = 0;
            if (i == 8) other.r.manifest = 0;
            _unknown(other);
        }
        _redeem(w);
    }

    function test_RevertWhen_Redeem_NotByTheCreditsContract() external {
        Work memory w = _drawnWork(_strangers());
        (Lease[] memory leases, Result[] memory results) = _one(w);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotCredits.selector, stranger));
        vm.prank(stranger);
        market.redeem(w.t.pack(), Packing.pack(leases), results);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotCredits.selector, stranger));
        vm.prank(stranger);
        market.redeemPanel(w.t.pack(), Packing.pack(leases), results);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LengthMismatch.selector, 1, 0));
        vm.prank(minter);
        market.redeem(w.t.pack(), Packing.pack(leases), new Result[](0));
    }

    function test_Redeem_NothingBeforeItIsSettled() external {
        Terms memory t = _strangers();
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _unknown(w);
        _show(w);
        _unknown(w);
    }

    /* NONE */

    function test_Redeem_NoneForDirectWork() external {
        Terms memory t = _direct();
        t.node = 0;
        _unknown(_drawnWork(t));
    }

    function test_Redeem_NoneForWorkOfANamedNode() external {
        _unknown(_settled(_terms()));
    }

    function test_Redeem_NoneForAcceptedWork() external {
        Terms memory t = _strangers();
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _show(w);
        _accept(w);
        _unknown(w);
    }

    function test_Redeem_NoneForAFault() external {
        Terms memory t = _strangers();
        uint256 before = _balance(address(dpu), requester);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        w.r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
        assertEq(_balance(address(dpu), alice.owner), 0.97e18, "half the price, less 3 %");
        assertEq(before - _balance(address(dpu), requester), 1e18);
        assertEq(_record(alice), 5_000, "nothing was computed");
        assertEq(uint8(_state(w.id)), uint8(JobState.Closed), "nor is the job complete");
        _unknown(w);
        _assertSolvent(0);
    }

    function test_Settle_AFaultThatNobodyMayChallengeEarnsNothing() external {
        Terms memory t = _strangers();
        (t.window, t.shards, t.maxLease) = (0, 2, 1);
        uint256 before = _balance(address(dpu), requester);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        w.r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        _show(w);
        _settle(w);
        assertEq(_balance(address(dpu), alice.owner), 0);
        assertEq(market.job(w.id).done, 0);
        assertEq(uint8(_phase(w)), uint8(Phase.Lapsed), "free for another node");
        _pass(1 hours, 1);
        market.close(t.pack());
        assertEq(_balance(address(dpu), requester), before);
        _assertFree(alice, STAKE);
        _assertSolvent(0);
    }

    /* PANELS */

    function test_RedeemPanel_OfAllWhoWerePaidInTheirOrder() external {
        for (uint256 i; i < 2; ++i) {
            Terms memory t = _panelTerms();
            if (i == 1) (t.shards, t.maxLease) = (4, 2);
            Work[] memory seats = _seated(t);
            seats[1].r = _result("wrong");
            _commitAll(seats);
            _agree(seats);

            _unknownPanel(seats); // bob was not paid
            Work[] memory paid = new Work[](2);
            (paid[0], paid[1]) = (seats[2], seats[0]);
            _unknownPanel(paid);
            (paid[0], paid[1]) = (seats[0], seats[2]);
            _unknown(paid[0]);
            Earned[] memory earned = _redeemPanel(paid);
            assertEq(abi.encode(earned[0]), abi.encode(_earnedBy(alice, seats[0])));
            assertEq(abi.encode(earned[1]), abi.encode(_earnedBy(carol, seats[2])));
            _unknownPanel(paid);
        }
    }

    function _earnedBy(Actor memory n, Work memory seat) private pure returns (Earned memory) {
        return Earned(n.owner, n.id, seat.r.units, seat.l.price, seat.l.count);
    }

    function test_RedeemPanel_NoneWhereNobodyAgreedOrAFaultWasFound() external {
        Work[] memory seats = _seated(_panelTerms());
        (seats[1].r, seats[2].r) = (_result("b"), _result("c"));
        _commitAll(seats);
        _agree(seats);
        _unknownPanel(seats);
        seats = _seated(_panelTerms());
        for (uint256 i; i < 3; ++i) {
            seats[i].r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        }
        _commitAll(seats);
        _agree(seats);
        _unknownPanel(seats);
    }

    function test_RevertWhen_RedeemPanel_OfNobody() external {
        Work memory w = _drawnWork(_strangers());
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptUnknown.selector, w.id, 0));
        vm.prank(minter);
        market.redeemPanel(w.t.pack(), Packing.pack(new Lease[](0)), new Result[](0));
    }

    function test_RedeemPanel_OfTheHolderAloneWhenItsAuditorHasGone() external {
        Work[] memory seats = _inAudit();
        vm.warp(uint256(seats[1].l.deadline) + 1);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        Work[] memory alone = new Work[](1);
        alone[0] = seats[0];
        _agree(alone);
        _unknownPanel(seats);
        Earned[] memory earned = _redeemPanel(alone);
        assertEq(earned.length, 1);
        assertEq(abi.encode(earned[0]), abi.encode(_earnedBy(alice, seats[0])));
        _unknownPanel(alone);
    }

    function test_RedeemPanel_OfAnAudit() external {
        Work[] memory seats = _inAudit();
        _commit(seats[1]);
        _agree(seats);
        Earned[] memory earned = _redeemPanel(seats);
        assertEq(earned.length, 2);
        assertEq(earned[1].node, bob.id);
        _unknownPanel(seats);
    }

    /// @dev Alice has committed, and bob is her auditor.
    function _inAudit() private returns (Work[] memory) {
        Terms memory t = _strangers();
        (t.auditBps, t.window) = (10_000, 0);
        t.expiry = uint40(_now() + 1 hours);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        _commit(w);
        _pass(29 minutes + 59 seconds, 2);
        return _auditedBy(w, bob);
    }
}
