// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Dispute, DisputeState, Verdict, VerdictLib} from "src-contracts/types/Dispute.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Whole stories: a lease of four shards, any of them disputed by anybody, judged anyhow, appealed or not, carried out in any order. Whatever
/// happens, everything ends, every DPU has an owner, and no stake stays locked.
contract StoriesTest is CourtTest {
    /// @dev What each juror does; `Undecided` stands for silence.
    Verdict[5] private CHOICES =
        [Verdict.Valid, Verdict.Withheld, Verdict.Invalid, Verdict.SpecFault, Verdict.Undecided];

    uint256 private dice;

    function _roll(uint256 sides) private returns (uint256) {
        dice = uint256(keccak256(abi.encode(dice)));
        return dice % sides;
    }

    /// @dev Juries mostly agree; else nothing would ever be found.
    function _jury(uint256 seats) private returns (Verdict[] memory votes) {
        Verdict common = CHOICES[_roll(5)];
        votes = new Verdict[](_roll(4) == 0 ? _roll(seats + 1) : seats);
        for (uint256 i; i < votes.length; ++i) {
            votes[i] = _roll(8) == 0 ? CHOICES[_roll(5)] : common;
        }
    }

    function _begin(Work memory w, uint32 index) private returns (Suit memory s) {
        s = _suit(w, index);
        bool byNode = _roll(2) == 0;
        vm.prank(byNode ? bob.operator : challenger);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, index), byNode ? bob.id : 0);
    }

    function _goOn(Suit memory s) private {
        _tried(s, _jury(5));
        if (_roll(3) != 0) return;
        bool byNode = _roll(2) == 0;
        vm.prank(byNode ? carol.operator : second);
        market.appeal(s.w.t.pack(), s.w.l.pack(), s.index, byNode ? carol.id : 0);
        s.round = 2;
        _tried(s, _jury(11));
    }

    /// @dev Carries all verdicts out, from a random one on; returns the gravest.
    function _endAll(Suit[] memory suits) private returns (Verdict worst) {
        uint256 from = _roll(suits.length);
        for (uint256 i; i < suits.length; ++i) {
            Suit memory s = suits[(from + i) % suits.length];
            _enforce(s);
            Dispute memory d = _dispute(s);
            assertEq(uint8(d.state), uint8(DisputeState.Ended));
            worst = VerdictLib.graver(worst, d.verdict);
        }
    }

    function testFuzz_Story_EndsWithEveryTokenOwned(uint256 seed, bool fault) external {
        dice = seed;
        Terms memory t = _terms(4);
        t.window = 24 hours;
        Work memory w = _revealed(t, fault);
        Suit[] memory suits = new Suit[](1 + _roll(3));
        for (uint32 i; i < suits.length; ++i) {
            suits[i] = _begin(w, i);
        }
        for (uint256 i; i < suits.length; ++i) {
            _goOn(suits[i]);
            // Long juries let the next one's time to serve run out: nobody comes.
            if (i + 1 < suits.length && vm.getBlockTimestamp() + DRAWN > _dispute(suits[i + 1]).at + SERVE) {
                vm.warp(uint256(_dispute(suits[i + 1]).at) + SPEAK + 1);
                for (uint256 k = i + 1; k < suits.length; ++k) {
                    _judge(suits[k]);
                }
                break;
            }
        }
        vm.warp(vm.getBlockTimestamp() + 25 hours);
        Verdict worst = _endAll(suits);

        uint256 escrow;
        if (worst == Verdict.Invalid) {
            assertEq(uint8(_phase(w)), uint8(Phase.Lapsed));
            assertEq(STAKE - _stake(alice), 4 * BOND, "the whole bond is gone");
            escrow = 4 * PRICE;
        } else if (worst == Verdict.SpecFault || worst == Verdict.Undecided) {
            assertEq(uint8(market.job(w.id).state), uint8(JobState.Closed));
        } else {
            _settle(w);
            assertLe(STAKE - _stake(alice), suits.length * BOND, "a shard's bond for each dispute at most");
        }
        _assertSolvent(escrow);
        assertEq(_locked(alice) + _locked(bob) + _locked(carol), 0, "no party is bound");
        for (uint256 i; i < jurors.length; ++i) {
            assertEq(_locked(jurors[i]), 0, "no juror is bound");
        }
    }
}
