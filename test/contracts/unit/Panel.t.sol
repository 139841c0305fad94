// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {Outcome, Panel} from "src-contracts/types/Panel.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every row of the table of outcomes in docs/assurance.md, and both sides of each of a panel's deadlines. Three seats at 2 DPU each (the
/// ramp's end), bond 8, unless a test says otherwise.
contract PanelTest is MarketTest {
    Actor private dave;
    Actor private erin;

    function setUp() public override {
        super.setUp();
        dave = _node("dave", STAKE);
        erin = _node("erin", STAKE);
        _pass(1 hours, 100);
    }

    /* HELPERS */

    function _panelTerms() private returns (Terms memory t) {
        t = _terms();
        (t.node, t.seats, t.window) = (0, 3, 0);
        t.expiry = uint40(_now() + 1 hours);
    }

    /// @dev Posted, open to everyone, alice in the first seat, bob and carol beside her.
    function _seated(Terms memory t) private returns (Work[] memory seats) {
        seats = new Work[](3);
        seats[0] = _opened(t);
        seats[1] = _join(seats[0], bob);
        seats[2] = _join(seats[0], carol);
    }

    function _opened(Terms memory t) private returns (Work memory w) {
        _post(t);
        _pass(30 minutes, 2);
        vm.prank(alice.operator);
        uint32 first = market.claim(t.pack(), alice.id, t.maxLease);
        w.t = t;
        w.id = market.jobId(t.pack());
        w.l.first = first;
        w.r = _result("right");
        return _seat(w, alice);
    }

    function _commitAll(Work[] memory seats) private {
        for (uint256 i; i < seats.length; ++i) {
            _commit(seats[i]);
        }
    }

    function _parts(Work[] memory seats, bool[3] memory show)
        private
        pure
        returns (Lease[] memory leases, Result[] memory results, bytes32[] memory salts)
    {
        leases = new Lease[](seats.length);
        results = new Result[](seats.length);
        salts = new bytes32[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            (leases[i], results[i]) = (seats[i].l, seats[i].r);
            if (i > 2 || show[i]) salts[i] = seats[i].salt;
        }
    }

    function _agree(Work[] memory seats, bool[3] memory show) private {
        (Lease[] memory leases, Result[] memory results, bytes32[] memory salts) = _parts(seats, show);
        market.agree(seats[0].t.pack(), seats[0].l.first, Packing.pack(leases), results, salts);
    }

    function _agree(Work[] memory seats) private {
        _agree(seats, [true, true, true]);
    }

    function _refuses(Work[] memory seats, bool[3] memory show, bytes memory error) private {
        (Lease[] memory leases, Result[] memory results, bytes32[] memory salts) = _parts(seats, show);
        vm.expectRevert(error);
        market.agree(seats[0].t.pack(), seats[0].l.first, Packing.pack(leases), results, salts);
    }

    function _owners() internal view override returns (address[] memory owners) {
        owners = new address[](5);
        (owners[0], owners[1], owners[2]) = (alice.owner, bob.owner, carol.owner);
        (owners[3], owners[4]) = (dave.owner, erin.owner);
    }

    /// @dev Everything that the Market holds in DPU belongs to somebody, or is the bonus of a range that waits.
    function _assertSolvent(uint256 bonus) private view {
        address[] memory owners = _owners();
        uint256 sum = _fees(address(dpu)) + _balance(address(dpu), requester) + _balance(address(dpu), treasury) + bonus;
        for (uint256 i; i < owners.length; ++i) {
            sum += _balance(address(dpu), owners[i]);
        }
        assertEq(dpu.balanceOf(address(market)), sum, "every token has an owner");
    }

    function _stakeOf(Actor memory n) private view returns (uint256) {
        return market.node(n.id).stake;
    }

    function _assertFree(Actor memory n, uint256 stake) private view {
        assertEq(_stakeOf(n), stake, "stake");
        assertEq(market.node(n.id).locked, 0, "nothing is locked");
    }

    /* OUTCOMES */

    function test_Agree_EverybodyIsPaidWhenAllAgree() external {
        Work[] memory seats = _seated(_panelTerms());
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);

        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 1.94e18, "2 less 3 %");
            assertEq(_record(seats[i].n), 5_078, "5000 + 5000 / 64");
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_fees(address(dpu)), 0.18e18);
        assertEq(_balance(address(dpu), requester), before, "escrow was 6, all spent");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_EarlySeatsAreCheaper() external {
        Terms memory t = _panelTerms();
        t.ramp = 60 minutes;
        Work[] memory seats = _seated(t); // half way up
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);
        _agree(seats);
        uint256 price = seats[0].l.price;
        assertEq(price, 1.5e18);
        assertEq(_balance(address(dpu), requester) - before, 6e18 - 3 * price, "what it did not cost comes back");
    }

    function test_Agree_TheMinorityLosesItsBond() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("wrong");
        _commitAll(seats);
        uint256 supply = dpu.totalSupply();

        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, false);
        _agree(seats);

        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        assertEq(_balance(address(dpu), bob.owner), 0);
        _assertFree(bob, STAKE - 8e18);
        assertEq(supply - dpu.totalSupply(), 4e18, "half is burnt");
        assertEq(_balance(address(dpu), treasury), 4e18, "the rest, since no retry is left to fund");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_NobodyAgreesAndNobodyIsSlashed() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("second");
        seats[2].r = _result("third");
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Unresolved, seats[0].r);
        _agree(seats);

        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18, "half, less 3 %");
            assertEq(_record(seats[i].n), 5_000);
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_balance(address(dpu), requester) - before, 3e18, "the other half");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed), "never complete");
        _assertSolvent(0);
    }

    function test_Agree_WhoWithholdsLosesItsBond() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[0]);
        _reveal(seats[2]);
        _pass(10 minutes, 1);
        bytes memory early = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1));
        _refuses(seats, [false, false, false], early);
        _pass(1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, true);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        _assertFree(bob, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_OneHonestSeatAmongSilentOnesIsPaidHalf() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[1]);
        _pass(10 minutes + 1, 1);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Agree_ATieOfTwoIsNoQuorum() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("wrong");
        _commitAll(seats);
        _reveal(seats[0]);
        _reveal(seats[1]);
        _pass(10 minutes + 1, 1);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_NobodySpeaksAndTheRangeIsFreeAgain() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Silent, Result(0, 0, 0));
        _agree(seats, [false, false, false]);

        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE - 8e18);
        _assertFree(carol, STAKE - 8e18);
        assertEq(uint8(_phase(seats[0])), uint8(Phase.Lapsed));
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Open));
        _assertSolvent(6e18 + 9.6e18); // the escrow, and 40 % of three bonds for whoever takes over
        _finishByOthers(seats[0]);
    }

    /// @dev Dave opens the range again with the bonus of the failed, and it ends well.
    function _finishByOthers(Work memory w) private {
        vm.warp(w.t.expiry);
        vm.roll(vm.getBlockNumber() + 2);
        vm.prank(dave.operator);
        market.takeOver(w.t.pack(), 0, dave.id);
        Work[] memory seats = new Work[](2);
        seats[0] = _seat(w, dave);
        assertEq(seats[0].l.bonus, 9.6e9, "gwei");
        seats[1] = _join(seats[0], erin);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(w.t.exec) + 1);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 9.6e18);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_FiveSeatsTwoTwoOneIsNoQuorum() external {
        Terms memory t = _panelTerms();
        t.seats = 5;
        Work[] memory seats = new Work[](5);
        seats[0] = _opened(t);
        Actor[4] memory others = [bob, carol, dave, erin];
        for (uint256 i; i < 4; ++i) {
            seats[i + 1] = _join(seats[0], others[i]);
        }
        (seats[1].r, seats[3].r, seats[4].r) = (_result("b"), _result("b"), _result("c"));
        _commitAll(seats);
        _agree(seats);
        for (uint256 i; i < 5; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18);
        }
        _assertSolvent(0);
    }

    /* LAPSES */

    function test_Lapse_ASeatIsFreeForAnother() external {
        Work[] memory seats = _seated(_panelTerms());
        _commit(seats[0]);
        _commit(seats[2]);
        vm.warp(uint256(seats[1].l.deadline) + 1);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(seats[0].id, bob.id, 0, 1.6e18, 0.64e18, 4_375, false);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        _assertFree(bob, STAKE - 1.6e18);

        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatedAlready.selector, seats[0].id, 0, bob.id, Phase.Lapsed));
        vm.prank(bob.operator);
        market.join(seats[0].t.pack(), 0, bob.id);

        seats[1] = _join(seats[0], dave);
        assertEq(seats[1].l.bonus, 0.64e9);
        _commit(seats[1]);
        (seats[1], seats[2]) = (seats[2], seats[1]);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 0.64e18);
        _assertSolvent(0);
    }

    function test_Lapse_OfEverySeatFreesTheRange() external {
        Work[] memory seats = _seated(_panelTerms());
        vm.warp(uint256(seats[0].l.deadline) + 1);
        for (uint256 i; i < 3; ++i) {
            market.lapse(seats[i].t.pack(), seats[i].l.pack());
            _assertFree(seats[i].n, STAKE - 1.6e18);
        }
        assertEq(uint8(_phase(seats[0])), uint8(Phase.Lapsed));
        _assertSolvent(6e18 + 3 * 0.64e18);
        vm.warp(uint256(seats[0].t.expiry) + 1);
        market.close(seats[0].t.pack());
        market.sweep(seats[0].id, 0);
        _assertSolvent(0);
    }

    function test_RevertWhen_Lapse_ASeatThatHasCommitted() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        vm.warp(_now() + 1 days);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatsAgree.selector, seats[0].id, 0));
        market.lapse(seats[0].t.pack(), seats[0].l.pack());
    }

    /* JOINING */

    function test_Join_LastSecond() external {
        Work memory w = _opened(_panelTerms());
        vm.warp(_now() + 2 * uint256(w.t.exec));
        _join(w, bob);
        vm.warp(_now() + 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(_now() - 1)));
        vm.prank(carol.operator);
        market.join(w.t.pack(), 0, carol.id);
    }

    function test_RevertWhen_Join_NotAllowed() external {
        Work[] memory seats = _seated(_panelTerms());
        Terms memory t = seats[0].t;
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NoSeatFree.selector, seats[0].id, 0));
        vm.prank(dave.operator);
        market.join(t.pack(), 0, dave.id);

        Work memory w = _opened(_panelTerms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatedAlready.selector, w.id, 0, alice.id, Phase.Claimed));
        vm.prank(alice.operator);
        market.join(w.t.pack(), 0, alice.id);

        Work memory single = _claimed(_terms());
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, single.id, 0, Phase.Claimed, Phase.Seated)
        );
        vm.prank(bob.operator);
        market.join(single.t.pack(), 0, bob.id);
    }

    function test_RevertWhen_Join_NotByADrawnNodesOperator() external {
        Terms memory t = _panelTerms();
        _post(t);
        uint256 block_ = vm.getBlockNumber();
        _pass(2, 2);
        // A seed that draws alice at once and bob later.
        for (uint256 i;; ++i) {
            vm.setBlockhash(block_ + 1, keccak256(abi.encode(i)));
            (bool first,) = market.drawn(t.pack(), 0, alice.id);
            (bool second,) = market.drawn(t.pack(), 0, bob.id);
            if (first && !second) break;
        }
        Work memory w = _claim(t, alice, 1);
        (, uint40 from) = market.drawn(t.pack(), 0, bob.id);
        assertGt(from, _now());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, bob.id, from));
        vm.prank(bob.operator);
        market.join(t.pack(), 0, bob.id);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, bob.owner));
        vm.prank(bob.owner);
        market.join(t.pack(), 0, bob.id);

        vm.warp(from);
        vm.prank(bob.operator);
        market.join(t.pack(), 0, bob.id);
    }

    function test_RevertWhen_Join_PausedOrOfAnotherRuntime() external {
        Work memory w = _opened(_panelTerms());
        Actor memory other = _register("another runtime", 4);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, w.id, other.id));
        vm.prank(other.operator);
        market.join(w.t.pack(), 0, other.id);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
        vm.prank(bob.operator);
        market.join(w.t.pack(), 0, bob.id);
    }

    function test_Join_TheDrawExpectsTwiceAsManyNodesAsSeats() external {
        Terms memory t = _panelTerms();
        (t.seats, t.expiry) = (5, uint40(_now() + 1 hours));
        _post(t);
        uint256 block_ = vm.getBlockNumber();
        _pass(2, 2);
        uint256 open;
        for (uint256 i; i < 200; ++i) {
            vm.setBlockhash(block_ + 1, keccak256(abi.encode(i)));
            (bool now_,) = market.drawn(t.pack(), 0, bob.id);
            if (now_) ++open;
        }
        // Five equal nodes, records at one half: each is in with 5 seats · 2 · 1/5 · 1/2 = 1.
        assertEq(open, 200);
    }

    /* TIMES */

    function test_RevertWhen_Reveal_SomebodyMayStillCommit() external {
        Work[] memory seats = _seated(_panelTerms());
        _commit(seats[0]);
        _commit(seats[1]);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0));
        vm.expectRevert(error);
        market.reveal(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, seats[0].salt);
        // Joining is over, but carol may still be about to commit until someone lapses her.
        vm.warp(_now() + 2 * uint256(seats[0].t.exec) + 1);
        vm.expectRevert(error);
        market.reveal(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, seats[0].salt);
        market.lapse(seats[2].t.pack(), seats[2].l.pack());
        _reveal(seats[0]);
    }

    function test_Agree_TwoOfThreeWhenNobodyElseCame() external {
        Terms memory t = _panelTerms();
        Work[] memory seats = new Work[](2);
        seats[0] = _opened(t);
        seats[1] = _join(seats[0], bob);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(t.exec));
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0));
        _refuses(seats, [true, true, true], error);
        vm.warp(_now() + 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Agree_AfterTheWindowOfTheLastReveal() external {
        Terms memory t = _panelTerms();
        t.window = 120;
        Work[] memory seats = _seated(t);
        _commitAll(seats);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 121));
        _refuses(seats, [true, true, true], error);
        _reveal(seats[0]);
        _reveal(seats[1]);
        _pass(60, 1);
        _reveal(seats[2]);
        _pass(120, 1);
        error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1));
        _refuses(seats, [false, false, false], error);
        _pass(1, 1);
        _agree(seats, [false, false, false]);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Agree_LastSecondOfTheSalts() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, seats[0].id, 0, uint40(_now() - 1));
        _refuses(seats, [true, true, true], error);
        vm.warp(_now() - 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    /* BAD CALLDATA */

    function test_RevertWhen_Agree_SeatsAreNotAllGivenOnceInOrder() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        bytes memory mismatch = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0);

        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[1]);
        _refuses(two, [true, true, true], abi.encodeWithSelector(JobFacts.SeatsMissing.selector, seats[0].id, 0, 2, 3));
        Work[] memory wrong = new Work[](3);
        (wrong[0], wrong[1], wrong[2]) = (seats[1], seats[0], seats[2]);
        _refuses(wrong, [true, true, true], mismatch);
        (wrong[0], wrong[1]) = (seats[0], seats[0]);
        _refuses(wrong, [true, true, true], mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].r = _result("another than committed");
        _refuses(wrong, [true, true, true], mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].l.price += 1;
        _refuses(wrong, [true, true, true], mismatch);
    }

    function test_RevertWhen_Agree_LengthsDiffer() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        (Lease[] memory leases, Result[] memory results,) = _parts(seats, [true, true, true]);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LengthMismatch.selector, 3, 3));
        market.agree(seats[0].t.pack(), 0, Packing.pack(leases), results, new bytes32[](2));
    }

    function test_RevertWhen_Agree_Twice() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _agree(seats);
        _refuses(
            seats,
            [true, true, true],
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.None, Phase.Seated)
        );
    }

    function test_RevertWhen_SettleOrAccept_ASeatByItself() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[0]);
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (seats[0].l, seats[0].r);
        bytes memory error = abi.encodeWithSelector(JobFacts.SeatsAgree.selector, seats[0].id, 0);
        vm.expectRevert(error);
        market.settle(seats[0].t.pack(), Packing.pack(leases), results);
        bytes memory signature = _acceptance(seats[0].t, 0, alice.id, seats[0].r);
        vm.expectRevert(error);
        market.accept(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, signature);
    }

    /* POSTING */

    function test_RevertWhen_Post_SeatsDoNotGoWithOtherTerms() external {
        Terms memory t = _panelTerms();
        t.direct = true;
        _cannotBePosted(t, "seats");
        t = _panelTerms();
        t.auditBps = 1;
        _cannotBePosted(t, "auditBps");
        t = _panelTerms();
        t.node = alice.id;
        _cannotBePosted(t, "node");
        t = _panelTerms();
        t.seats = 2;
        _cannotBePosted(t, "seats");
        t = _panelTerms();
        (t.maxPrice, t.bond) = (3e18, 2e18 - 1); // 4 · 3 / (2 · 3 seats) = 2
        _cannotBePosted(t, "bond");
        t.bond = 2e18;
        _post(t);
    }

    function test_AllowSeats_ClosesThemForNewJobsOnly() external {
        Work[] memory seats = _seated(_panelTerms());
        vm.expectEmit(address(market));
        emit LedgerFacts.SeatsAllowed(false);
        vm.prank(governor);
        market.allowSeats(false);
        _cannotBePosted(_panelTerms(), "seats");
        _post(_terms());
        _commitAll(seats);
        _agree(seats);
        vm.prank(governor);
        market.allowSeats(true);
        _post(_panelTerms());
    }

    function _cannotBePosted(Terms memory t, bytes32 field) private {
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, field));
        _post(t);
    }

    function test_RevertWhen_Order_AsksForSeveralSeats() external {
        Terms memory t = _panelTerms();
        bytes memory order = _order(t);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.TermsInvalid.selector, market.jobId(t.pack()), bytes32("seats"));
        vm.expectRevert(error);
        vm.prank(alice.operator);
        market.claimOrder(t.pack(), order, alice.id, 1);
        bytes memory acceptance = _acceptance(t, 0, alice.id, _result("r"));
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, alice.id, _result("r"), acceptance);
    }

    /* SHARED JOBS */

    function test_Agree_OneRangeOfSeveral() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (4, 2);
        Work[] memory seats = _seated(t);
        assertEq(seats[0].l.count, 2);
        Panel memory p = market.panel(seats[0].id, 0);
        assertEq(abi.encode(p.count, p.sitting, p.committed), abi.encode(2, 3, 0));
        _commitAll(seats);
        _agree(seats);
        assertEq(_balance(address(dpu), bob.owner), 3.88e18, "two shards at 2, less 3 %");
        assertEq(market.job(seats[0].id).left, 24e18 - 12e18);
        assertEq(market.job(seats[0].id).done, 2);
        vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _assertSolvent(0);
    }
}
