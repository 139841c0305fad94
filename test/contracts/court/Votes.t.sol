// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Dispute, Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";

/// @dev Every way in which juries may vote, against a tally written another way.
contract VotesTest is CourtTest {
    /// @dev What each juror does; `Undecided` stands for silence.
    Verdict[5] private CHOICES =
        [Verdict.Valid, Verdict.Withheld, Verdict.Invalid, Verdict.SpecFault, Verdict.Undecided];

    struct Expected {
        Verdict verdict;
        uint256 paid;
        bool[] isPaid;
    }

    /// @dev The rules by sets instead of counters: for each thing that can be found, who stands for it.
    function _expect(Verdict[] memory votes, bool claim, uint256 quorum) private pure returns (Expected memory e) {
        e.isPaid = new bool[](votes.length);
        Verdict[3] memory groups = [Verdict.Valid, Verdict.Invalid, Verdict.SpecFault];
        for (uint256 g; g < 3; ++g) {
            uint256 size;
            uint256 withheld;
            for (uint256 i; i < votes.length; ++i) {
                if (!_standsFor(votes[i], groups[g], claim)) continue;
                ++size;
                if (votes[i] == Verdict.Withheld) ++withheld;
            }
            if (size < quorum) continue;
            e.verdict = groups[g];
            if (groups[g] == Verdict.Valid && !claim && withheld > size - withheld) e.verdict = Verdict.Withheld;
            e.paid = size;
            for (uint256 i; i < votes.length; ++i) {
                e.isPaid[i] = _standsFor(votes[i], groups[g], claim);
            }
            return e;
        }
        e.verdict = votes.length < quorum ? Verdict.None : Verdict.Undecided;
        for (uint256 i; i < votes.length; ++i) {
            e.isPaid[i] = votes[i] != Verdict.Undecided;
            if (e.isPaid[i]) ++e.paid;
        }
    }

    function _standsFor(Verdict vote, Verdict group, bool claim) private pure returns (bool) {
        if (vote == Verdict.Undecided) return false;
        if (claim) {
            return
                group == Verdict.Valid
                    ? vote == Verdict.SpecFault
                    : group == Verdict.Invalid && vote != Verdict.SpecFault;
        }
        if (group == Verdict.Valid) return vote == Verdict.Valid || vote == Verdict.Withheld;
        return vote == group;
    }

    function _check(Verdict[] memory votes, bool claim, bool again) private {
        Suit memory s = _challenged(_revealed(_terms(1), claim), 0);
        uint256 aside = PRICE + 10 * FEE;
        if (again) {
            _tried(s, _all(Verdict.Valid, 0));
            _appeal(s);
            aside += 11 * FEE;
        }
        _tried(s, votes);

        Expected memory e = _expect(votes, claim, again ? 8 : 4);
        Dispute memory d = _dispute(s);
        assertEq(uint8(d.verdict), uint8(e.verdict), "verdict");
        assertEq(again ? d.paidAgain : d.paid, e.paid, "paid");
        for (uint256 i; i < votes.length; ++i) {
            Actor memory n = _juror(s, i);
            assertEq(_balance(n.owner), e.isPaid[i] ? FEE : 0, "fee");
            assertEq(_stake(n), e.isPaid[i] ? STAKE : STAKE - FEE, "bond");
            assertEq(_locked(n), 0, "free");
        }
        _assertSolvent(aside - e.paid * FEE);
    }

    /// @dev 0 … 5^n − 1 as `n` choices.
    function _votes(uint256 seed, uint256 n) private view returns (Verdict[] memory votes) {
        votes = new Verdict[](n);
        for (uint256 i; i < n; ++i) {
            votes[i] = CHOICES[seed % 5];
            seed /= 5;
        }
    }

    function testFuzz_Judge_FiveJurors(uint256 seed, bool claim) external {
        _check(_votes(seed % 3_125, 5), claim, false);
    }

    function testFuzz_Judge_FewerJurors(uint256 seed, uint256 n, bool claim) external {
        _check(_votes(seed, n % 5), claim, false);
    }

    function testFuzz_Judge_ElevenJurors(uint256 seed, uint256 n, bool claim) external {
        _check(_votes(seed, n % 12), claim, true);
    }

    /// @dev Every vector of five votes up to the order, which no rule looks at.
    function test_Judge_EveryFiveVotes() external {
        uint256 snapshot = vm.snapshotState();
        uint256 vectors;
        for (uint256 seed; seed < 3_125; ++seed) {
            Verdict[] memory votes = _votes(seed, 5);
            bool sorted = true;
            for (uint256 i = 1; i < 5; ++i) {
                if (_rank(votes[i]) < _rank(votes[i - 1])) sorted = false;
            }
            if (!sorted) continue;
            this.check(votes);
            ++vectors;
            vm.revertToState(snapshot);
        }
        assertEq(vectors, 126);
    }

    /// @dev A call of its own, so that its memory is free again.
    function check(Verdict[] calldata votes) external {
        _check(votes, false, false);
    }

    function _rank(Verdict verdict) private pure returns (uint256) {
        return uint256(verdict);
    }
}
