// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Verdict} from "src-contracts/types/Dispute.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing} from "test/contracts/lib/Readable.sol";

/// @dev Several shards of one lease before juries at once: four shards, a bond of 32 and a price of 8 together.
contract SeveralTest is CourtTest {
    Work private w;

    function _begin() private {
        Work memory fresh = _revealed(_terms(4));
        w.t = fresh.t;
        (w.id, w.n, w.l, w.r, w.hashes, w.units) = (fresh.id, fresh.n, fresh.l, fresh.r, fresh.hashes, fresh.units);
    }

    /// @dev By `challenger`, or by `second`.
    function _open(uint32 index, address by) private returns (Suit memory s) {
        s = _suit(w, index);
        vm.prank(by);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, index), 0);
    }

    function _past() private {
        _pass(1 hours);
    }

    function _alice() private view returns (uint256 gone, uint256 locked) {
        return (STAKE - _stake(alice), _locked(alice));
    }

    function test_Several_ValidTwiceLeavesTheLeaseAsItWas() external {
        _begin();
        Suit memory one = _open(0, challenger);
        Suit memory two = _open(3, second);
        _tried(one, _all(Verdict.Valid, 5));
        _tried(two, _all(Verdict.Valid, 5));
        _past();
        _enforce(one);
        assertEq(uint8(_phase(w)), uint8(Phase.Disputed));
        _enforce(two);
        assertEq(uint8(_phase(w)), uint8(Phase.Revealed));
        assertEq(LeaseWord.wrap(market.leaseWord(w.id, 0)).flags(), LeaseWordLib.SOLO, "nothing was taken of its bond");
        _settle(w);
        assertEq(_balance(alice.owner), 2 * 2.5e18 + 4 * 1.94e18);
        (, uint256 locked) = _alice();
        assertEq(locked, 0);
        _assertSolvent(0);
    }

    function test_Several_OneConvictionWhileAnotherRunsTakesOneShardsBond() external {
        _begin();
        Suit memory one = _open(0, challenger);
        Suit memory two = _open(1, second);
        _tried(one, _all(Verdict.Invalid, 5));
        _tried(two, _all(Verdict.Valid, 5));
        _past();
        _enforce(one);
        (uint256 gone, uint256 locked) = _alice();
        assertEq(gone, BOND);
        assertEq(locked, 3 * BOND);
        assertEq(_balance(challenger), 1_001.2e18);
        assertEq(_burnt(), 1.5e18);
        assertEq(uint8(_phase(w)), uint8(Phase.Disputed));

        _enforce(two);
        // The other 24: half burnt, four tenths for the first who was right.
        (gone, locked) = _alice();
        assertEq(gone, 4 * BOND);
        assertEq(locked, 0);
        assertEq(_balance(challenger), 1_001.2e18 + 9.6e18);
        assertEq(_balance(second), 990e18);
        assertEq(_burnt(), 1.5e18 + 2.5e18 + 12e18);
        assertEq(uint8(_phase(w)), uint8(Phase.Lapsed));
        _assertSolvent(4 * PRICE);
    }

    function test_Several_EachWhoConvictsIsRewardedAndTheFirstGetsTheRest() external {
        _begin();
        Suit memory one = _open(0, challenger);
        Suit memory two = _open(1, second);
        _tried(one, _all(Verdict.Invalid, 5));
        _tried(two, _all(Verdict.Invalid, 5));
        _past();
        _enforce(two);
        _enforce(one);
        (uint256 gone, uint256 locked) = _alice();
        assertEq(gone, 4 * BOND);
        assertEq(locked, 0);
        assertEq(_balance(challenger), 1_001.2e18);
        assertEq(_balance(second), 1_001.2e18 + 6.4e18, "the other 16");
        assertEq(market.node(alice.id).record, 1_250);
        _assertSolvent(4 * PRICE);
    }

    function test_Several_OneAloneTakesTheWholeBond() external {
        _begin();
        Suit memory one = _open(2, challenger);
        _decided(one, Verdict.Invalid);
        // 32 − 5: 13.5 burnt, 10.8 and the 5 for the challenger, 2.7 for the treasury.
        assertEq(_balance(challenger), 1_010.8e18);
        assertEq(_burnt(), 13.5e18);
        assertEq(_balance(treasury), 2.7e18);
        _assertSolvent(4 * PRICE);
    }

    function test_Several_WithheldAndThenValidIsPaidWithWhatIsLeftOfTheBond() external {
        _begin();
        Suit memory one = _open(0, challenger);
        Suit memory two = _open(1, second);
        _tried(one, _all(Verdict.Withheld, 5));
        _tried(two, _all(Verdict.Valid, 5));
        _past();
        _enforce(one);
        _enforce(two);
        assertEq(uint8(_phase(w)), uint8(Phase.Revealed));
        _settle(w);
        (uint256 gone, uint256 locked) = _alice();
        assertEq(gone, 5 * FEE);
        assertEq(locked, 0);
        _assertSolvent(0);
    }

    function test_Several_WithheldOneAfterTheOther() external {
        _begin();
        Suit memory one = _open(0, challenger);
        _tried(one, _all(Verdict.Withheld, 5));
        _pass(APPEAL);
        _enforce(one);
        assertEq(uint8(_phase(w)), uint8(Phase.Revealed));
        Suit memory two = _open(1, second);
        _tried(two, _all(Verdict.Withheld, 5));
        _past();
        _enforce(two);
        (uint256 gone, uint256 locked) = _alice();
        assertEq(gone, 10 * FEE);
        assertEq(locked, 4 * BOND - 10 * FEE);
        _settle(w);
        (, locked) = _alice();
        assertEq(locked, 0);
        _assertSolvent(0);
    }

    function test_Several_WithheldAndThenInvalidTakesWhatIsLeft() external {
        _begin();
        Suit memory one = _open(0, challenger);
        _tried(one, _all(Verdict.Withheld, 5));
        _pass(APPEAL);
        _enforce(one);
        Suit memory two = _open(1, second);
        _tried(two, _all(Verdict.Invalid, 5));
        _past();
        _enforce(two);
        (uint256 gone, uint256 locked) = _alice();
        assertEq(gone, 4 * BOND);
        assertEq(locked, 0);
        // 32 − 5 − 5 = 22 to share.
        assertEq(_balance(second), 1_000e18 + 8.8e18);
        assertEq(_balance(challenger), 1_000e18);
        assertEq(_burnt(), 11e18);
        _assertSolvent(4 * PRICE);
    }

    /// @dev The gravest verdict decides, whichever comes last; only a conviction costs the bond.
    function test_Several_TheGravestVerdictEndsTheLease() external {
        Verdict[4] memory order = [Verdict.Valid, Verdict.Undecided, Verdict.SpecFault, Verdict.Invalid];
        for (uint256 a; a < 4; ++a) {
            for (uint256 b; b < 4; ++b) {
                uint256 snapshot = vm.snapshotState();
                _begin();
                Suit memory one = _open(0, challenger);
                Suit memory two = _open(1, second);
                _tried(one, _votesFor(order[a]));
                _tried(two, _votesFor(order[b]));
                _past();
                _enforce(one);
                _enforce(two);
                _assertFate(order[a > b ? a : b]);
                vm.revertToState(snapshot);
            }
        }
    }

    function _votesFor(Verdict verdict) private pure returns (Verdict[] memory) {
        return verdict == Verdict.Undecided ? _split(Verdict.Valid, 3, Verdict.Invalid, 2) : _all(verdict, 5);
    }

    function _assertFate(Verdict worst) private view {
        (uint256 gone, uint256 locked) = _alice();
        uint256 escrow;
        if (worst == Verdict.Valid) {
            assertEq(uint8(_phase(w)), uint8(Phase.Revealed));
            escrow = 4 * PRICE;
        } else if (worst == Verdict.Invalid) {
            assertEq(uint8(_phase(w)), uint8(Phase.Lapsed));
            escrow = 4 * PRICE;
        } else {
            assertEq(uint8(market.job(w.id).state), uint8(JobState.Closed));
        }
        assertEq(gone, worst == Verdict.Invalid ? 4 * BOND : 0, "the bond");
        assertEq(locked, worst == Verdict.Valid ? 4 * BOND : 0, "what is locked");
        _assertSolvent(escrow);
    }

    /// @dev Who has a wrong shard cannot have another one judged to end the lease early.
    function test_RevertWhen_ALeaseWouldEndInItsWindow() external {
        _begin();
        (, uint40 at) = market.lease(w.id, 0);
        Suit memory one = _open(0, challenger);
        _tried(one, _all(Verdict.SpecFault, 5));
        _pass(APPEAL);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, at + 30 minutes + 1));
        market.enforce(w.t.pack(), w.l.pack(), w.r, 0);
        Suit memory two = _open(1, second);
        _enforce(one); // it is not the last any more
        _tried(two, _all(Verdict.Invalid, 5));
        _past();
        _enforce(two);
        assertEq(uint8(_phase(w)), uint8(Phase.Lapsed));
        assertEq(_balance(challenger), 995e18, "a spec fault of who was wrong is no compensation");
    }
}
