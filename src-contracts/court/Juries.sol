// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {CourtCore} from "src-contracts/court/CourtCore.sol";
import {IJuries} from "src-contracts/interfaces/ICourt.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {
    Dispute,
    DisputeLib,
    DisputeState,
    Juror,
    Testimony,
    Verdict,
    VerdictLib
} from "src-contracts/types/Dispute.sol";
import {Lease, LeaseWord} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How jurors sit down, speak and are counted.
/// @dev BOUND: nobody can see another's vote and still choose its own: sitting down is the commitment, and the last of them comes before the first vote is
/// shown. DRAW: the same sortition as for leases, seeded by the block after the round began, so that few compute in vain.
abstract contract Juries is CourtCore, IJuries {
    /// @dev The votes of a round.
    struct Count {
        /// By place; `None` is silent.
        Verdict[] votes;
        uint256 right;
        /// Of `right`.
        uint256 withheld;
        uint256 wrong;
        uint256 fault;
        uint256 spoke;
    }

    /// @inheritdoc IJuries
    function serve(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 nodeId, bytes32 commitment)
        external
    {
        Case memory c = _case(terms, lease_, index, DisputeState.Serving);
        require(commitment != 0, CommitmentZero(c.id, c.first));
        uint256 until = _serveUntil(terms, c.d);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(c.id, c.first, uint40(until))); // a time
        Node storage n = _requireOperator(nodeId);
        require(_mayServe(terms, n), NodeNotEligible(c.id, nodeId));
        require(!_isParty(c, terms, lease_, nodeId, n.owner), JurorIsParty(c.key, nodeId));
        uint256 from = _drawnFrom(c, terms, nodeId, n);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= from, NotDrawn(c.id, nodeId, uint40(from))); // a time

        (bool free, uint256 place, uint256 print, Bench bench) = _placeFor(c, nodeId);
        require(free, JurorServedAlready(c.key, nodeId));
        (uint256 seats,) = _seatsOf(c.d.round);
        require(place < seats, JuryFull(c.key, seats));
        bench = bench.seat(place, print).commit(LeaseWord.wrap(nodeId), commitment);
        _setBench(_juryKey(c.key, c.d.round), bench);
        _lock(nodeId, n, c.fee, uint256(_gate.minStake) * 1 ether);

        emit JurorServed(c.key, nodeId, c.d.round, commitment);
    }

    /// @inheritdoc IJuries
    function testify(
        Terms calldata terms,
        Lease calldata lease_,
        uint32 index,
        Juror[] calldata jurors,
        uint256 at,
        Testimony calldata said
    ) external {
        Case memory c = _case(terms, lease_, index, DisputeState.Serving);
        _requireSpeaking(c, terms, jurors.length);
        uint256 chain;
        for (uint256 i; i < jurors.length; ++i) {
            chain = BenchLib.next(chain, LeaseWord.wrap(jurors[i].node), jurors[i].commitment);
        }
        require(chain == _loadJury(c).chain() && at < jurors.length, JurorsMismatch(c.key));
        require(
            VerdictLib.isVote(said.verdict) && said.node == jurors[at].node
                && _testimonyOf(c.key, c.d.round, said) == jurors[at].commitment,
            TestimonyInvalid(c.key, said.node)
        );
        bytes32 votesKey = _votesKey(c.key);
        uint256 votes = _words[votesKey];
        require((votes >> (3 * at)) & 7 == 0, JurorSpokeAlready(c.key, said.node));

        _words[votesKey] = votes | (uint256(said.verdict) << (3 * at));
        if (!c.d.has(DisputeLib.SPOKEN)) {
            c.d.marks |= DisputeLib.SPOKEN;
            _setDispute(c);
        }

        _announce(c, said);
    }

    /// @inheritdoc IJuries
    function judge(Terms calldata terms, Lease calldata lease_, uint32 index, Testimony[] calldata said)
        external
        nonReentrant
    {
        Case memory c = _case(terms, lease_, index, DisputeState.Serving);
        _requireServed(c, terms, said.length);
        Count memory count = _hear(c, terms, said);
        Verdict found = _find(c, count, said.length);
        uint256 paid = _reckon(count, found);
        _stand(c, found, paid);

        emit Judged(c.key, c.d.round, found, c.d.verdict, said.length, paid);

        _dismiss(c, terms, said, count, found);
        if (paid != 0) _spend(c.d.round == 1 ? _challenger(c.d) : _appellant(c.key), paid * c.fee, 0);
    }

    /* INTERNAL: speaking */

    function _requireSpeaking(Case memory c, Terms calldata terms, uint256 served) private view {
        _requireServed(c, terms, served);
        uint256 until = _speakUntil(terms, c.d);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(c.id, c.first, uint40(until))); // a time
    }

    function _announce(Case memory c, Testimony calldata said) private {
        emit JurorSpoke(c.key, said.node, c.d.round, said.verdict, said.hash, said.units, said.evidence);
    }

    /// @dev Checks every juror against the bench, in the order in which they sat down, and hears what it has to say.
    function _hear(Case memory c, Terms calldata terms, Testimony[] calldata said)
        private
        returns (Count memory count)
    {
        uint256 votes;
        if (c.d.has(DisputeLib.SPOKEN)) {
            bytes32 votesKey = _votesKey(c.key);
            votes = _words[votesKey];
            _words[votesKey] = 0;
            c.d.marks &= ~DisputeLib.SPOKEN;
        }
        count.votes = new Verdict[](said.length);
        uint256 chain;
        for (uint256 i; i < said.length; ++i) {
            Testimony calldata one = said[i];
            Verdict vote = Verdict((votes >> (3 * i)) & 7);
            bool silent = one.verdict == Verdict.None;
            chain =
                BenchLib.next(chain, LeaseWord.wrap(one.node), silent ? one.salt : _testimonyOf(c.key, c.d.round, one));
            if (vote == Verdict.None) {
                vote = one.verdict;
                _requireInTime(c, terms, one, silent);
                if (!silent) _announce(c, one);
            }
            count.votes[i] = vote;
            _add(c, count, vote);
        }
        require(chain == _loadJury(c).chain(), JurorsMismatch(c.key));
    }

    /// @dev One who may still speak is waited for; one who may not is silent.
    function _requireInTime(Case memory c, Terms calldata terms, Testimony calldata one, bool silent) private view {
        uint256 until = _speakUntil(terms, c.d);
        // forge-lint: disable-start(unsafe-typecast)
        if (silent) {
            require(block.timestamp > until, TooEarly(c.id, c.first, uint40(until + 1))); // a time
        } else {
            require(block.timestamp <= until, DeadlinePassed(c.id, c.first, uint40(until))); // a time
            require(VerdictLib.isVote(one.verdict), TestimonyInvalid(c.key, one.node));
        }
        // forge-lint: disable-end(unsafe-typecast)
    }

    /* INTERNAL: counting */

    /// @dev What a vote says about the result that was shown. That a job cannot be done is right or wrong: any other finding shows that it can.
    function _meaning(Case memory c, Verdict vote) private pure returns (Verdict) {
        if (!c.d.has(DisputeLib.CLAIMS_FAULT) || vote == Verdict.None) return vote;
        return vote == Verdict.SpecFault ? Verdict.Valid : Verdict.Invalid;
    }

    function _add(Case memory c, Count memory count, Verdict vote) private pure {
        Verdict meaning = _meaning(c, vote);
        if (meaning == Verdict.None) return;
        ++count.spoke;
        if (meaning == Verdict.Invalid) ++count.wrong;
        else if (meaning == Verdict.SpecFault) ++count.fault;
        else ++count.right;
        if (meaning == Verdict.Withheld) ++count.withheld;
    }

    /// @dev The finding of a round: that of two thirds of the seats. Without, `None` when fewer than that came at all.
    function _find(Case memory c, Count memory count, uint256 served) private pure returns (Verdict) {
        (, uint256 quorum) = _seatsOf(c.d.round);
        if (count.right >= quorum) return 2 * count.withheld > count.right ? Verdict.Withheld : Verdict.Valid;
        if (count.wrong >= quorum) return Verdict.Invalid;
        if (count.fault >= quorum) return Verdict.SpecFault;
        return served < quorum ? Verdict.None : Verdict.Undecided;
    }

    /// @dev How many jurors are paid: those who found what two thirds found; without that, all who spoke.
    function _reckon(Count memory count, Verdict found) private pure returns (uint256) {
        if (found == Verdict.Valid || found == Verdict.Withheld) return count.right;
        if (found == Verdict.Invalid) return count.wrong;
        return found == Verdict.SpecFault ? count.fault : count.spoke;
    }

    function _isPaid(Case memory c, Verdict vote, Verdict found) private pure returns (bool) {
        if (vote == Verdict.None) return false;
        if (found == Verdict.None || found == Verdict.Undecided) return true;
        Verdict meaning = _meaning(c, vote);
        if (meaning == Verdict.Withheld) meaning = Verdict.Valid;
        return meaning == (found == Verdict.Withheld ? Verdict.Valid : found);
    }

    /// @dev Writes what stands now. Only a quorum of the second jury overturns what the first has found: who would lose by a verdict must not get rid of
    /// it by calling a jury that does not come together.
    function _stand(Case memory c, Verdict found, uint256 paid) private {
        Dispute memory d = c.d;
        // forge-lint: disable-start(unsafe-typecast)
        if (d.round == 1) {
            (d.verdict, d.paid) = (found, uint8(paid)); // at most 11
        } else {
            d.paidAgain = uint8(paid);
            bool decided = found != Verdict.None && found != Verdict.Undecided;
            if (decided && found != d.verdict) d.marks |= DisputeLib.OVERTURNED;
            if (decided || d.verdict == Verdict.None) d.verdict = found;
        }
        // forge-lint: disable-end(unsafe-typecast)
        (d.state, d.at) = (DisputeState.Judged, uint40(block.timestamp));
        _setDispute(c);
    }

    /// @dev Pays each juror and frees its bond, or takes that.
    function _dismiss(Case memory c, Terms calldata terms, Testimony[] calldata said, Count memory count, Verdict found)
        private
    {
        Params storage p = _params[terms.rules.version()];
        for (uint256 i; i < said.length; ++i) {
            uint32 nodeId = said[i].node;
            if (_isPaid(c, count.votes[i], found)) {
                Node storage n = _nodes[nodeId];
                // forge-lint: disable-next-line(unsafe-typecast)
                n.locked -= uint96(c.fee); // what `_lock` added
                _credit(TOKEN, n.owner, c.fee);
            } else {
                _slash(nodeId, c.fee, c.fee, p);
                _credit(TOKEN, _treasury, uint256(_retryGwei(c.fee, p)) * 1 gwei); // no retry is to be funded
            }
        }
    }
}
