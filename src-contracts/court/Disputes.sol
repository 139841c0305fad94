// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {CourtCore} from "src-contracts/court/CourtCore.sol";
import {IDisputes} from "src-contracts/interfaces/ICourt.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {
    Dispute,
    DisputeLib,
    DisputeState,
    DisputeWord,
    Shard,
    ShardLib,
    Testimony
} from "src-contracts/types/Dispute.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a dispute begins, and begins again; and what can be asked about it.
abstract contract Disputes is CourtCore, IDisputes {
    /// @inheritdoc IDisputes
    function challenge(
        Terms calldata terms,
        Lease calldata lease_,
        Result calldata result,
        Shard calldata shard,
        uint32 nodeId
    ) external {
        Case memory c = _case(terms, lease_, shard.index, DisputeState.None);
        require(c.fee != 0, BondTooSmall(c.id, terms.bond()));
        Party memory party = _caller(nodeId);
        bool seated = _doubt(c, terms, lease_, result);
        bool fault = _requireShard(c, lease_, result, shard);

        (c.d.state, c.d.round) = (DisputeState.Serving, 1);
        if (fault) c.d.marks |= DisputeLib.CLAIMS_FAULT;
        if (seated) c.d.marks |= DisputeLib.SEATED;
        if (nodeId != 0) c.d.marks |= DisputeLib.BY_NODE;
        c.d.challenger = nodeId == 0 ? party.account : address(uint160(nodeId));
        _beginRound(c);
        _pledge(party, CHALLENGE_FEES * c.fee);

        emit Challenged(
            c.key,
            c.id,
            lease_.claimed.node(),
            lease_.claimed,
            c.first,
            shard.index,
            shard.hash,
            shard.units,
            party.account,
            nodeId
        );
    }

    /// @inheritdoc IDisputes
    function appeal(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 nodeId) external {
        Case memory c = _case(terms, lease_, index, DisputeState.Judged);
        require(c.d.round == 1, RoundFinal(c.key));
        uint256 until = _appealUntil(terms, c.d);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(c.id, c.first, uint40(until))); // a time
        Party memory party = _caller(nodeId);

        (c.d.state, c.d.round) = (DisputeState.Serving, 2);
        _beginRound(c);
        _words[_appellantKey(c.key)] = (uint256(nodeId) << 160) | uint160(party.account);
        _pledge(party, SECOND_SEATS * c.fee);

        emit Appealed(c.key, party.account, nodeId);
    }

    /* VIEWS */

    /// @inheritdoc IDisputes
    function disputeKey(bytes32 id, Lease calldata lease_, uint32 index) external pure returns (bytes32) {
        return _disputeKey(id, lease_, index);
    }

    /// @inheritdoc IDisputes
    function testimonyOf(bytes32 key, uint8 round, Testimony calldata said) external pure returns (bytes32) {
        return _testimonyOf(key, round, said);
    }

    /// @inheritdoc IDisputes
    function dispute(bytes32 key) external view returns (Dispute memory) {
        return DisputeWord.wrap(_words[key]).unpack();
    }

    /// @inheritdoc IDisputes
    function jury(bytes32 key, uint8 round) external view returns (Bench) {
        return _loadBench(_juryKey(key, round));
    }

    /// @inheritdoc IDisputes
    function appellant(bytes32 key) external view returns (address account, uint32 nodeId) {
        Party memory party = _appellant(key);
        return (party.account, party.node);
    }

    /// @inheritdoc IDisputes
    function disputeCost(Terms calldata terms)
        external
        pure
        returns (uint256 challenging, uint256 juror, uint256 appealing)
    {
        juror = terms.bond() / FEE_PART;
        return (CHALLENGE_FEES * juror, juror, SECOND_SEATS * juror);
    }

    /// @inheritdoc IDisputes
    function disputeTimes(Terms calldata terms, Lease calldata lease_, uint32 index)
        external
        view
        returns (uint40 serveUntil, uint40 speakUntil)
    {
        Dispute memory d = DisputeWord.wrap(_words[_disputeKey(_jobId(terms), lease_, index)]).unpack();
        // forge-lint: disable-start(unsafe-typecast)
        if (d.state == DisputeState.Serving) {
            return (uint40(_serveUntil(terms, d)), uint40(_speakUntil(terms, d))); // times
        }
        if (d.state == DisputeState.Judged) serveUntil = speakUntil = uint40(_appealUntil(terms, d));
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @inheritdoc IDisputes
    function drawnToJury(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 nodeId)
        external
        view
        returns (bool now_, uint40 from_)
    {
        Case memory c;
        (c.id, c.first) = (_jobId(terms), lease_.first());
        c.key = _disputeKey(c.id, lease_, index);
        c.d = DisputeWord.wrap(_words[c.key]).unpack();
        if (c.d.state != DisputeState.Serving || block.timestamp > _serveUntil(terms, c.d)) return (false, 0);
        Node storage n = _nodes[nodeId];
        if (!_mayServe(terms, n) || _isParty(c, terms, lease_, nodeId, n.owner)) return (false, 0);
        (bool free, uint256 place,,) = _placeFor(c, nodeId);
        (uint256 seats,) = _seatsOf(c.d.round);
        if (!free || place >= seats) return (false, 0);
        uint256 from = _drawnFrom(c, terms, nodeId, n);
        // forge-lint: disable-next-line(unsafe-typecast)
        return (block.timestamp >= from, uint40(from)); // a time
    }

    /* INTERNAL */

    function _beginRound(Case memory c) private {
        (c.d.at, c.d.atBlock) = (uint40(block.timestamp), uint40(block.number));
        _setDispute(c);
    }

    /// @dev Checks that the lease, or seat, has shown this result and may still be challenged; marks it. `seated`: it is one of several.
    function _doubt(Case memory c, Terms calldata terms, Lease calldata lease_, Result calldata result)
        private
        returns (bool seated)
    {
        (bytes32 key, LeaseWord word) = _findAudited(c.id, lease_);
        if (word.phase() != Phase.Disputed) _requirePhase(c.id, c.first, word, Phase.Revealed);
        uint208 revealed = LeaseLib.revealedBody(lease_.claimed, result);
        require(word.stands(revealed), LeaseMismatch(c.id, c.first));
        uint256 held = _heldUntil(terms, word.at());
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= held, DeadlinePassed(c.id, c.first, uint40(held))); // a time

        // A lease has fewer than 2^16 shards, and each is disputed once.
        _setLease(key, LeaseWordLib.disputed(word.flags(), word.at(), revealed, word.open() + 1));
        return key != _rangeOf(c.id, lease_);
    }

    /// @dev Checks that the shard is the lease's and what its holder showed. A result that says that the job cannot be done shows none (`fault`).
    function _requireShard(Case memory c, Lease calldata lease_, Result calldata result, Shard calldata shard)
        private
        pure
        returns (bool fault)
    {
        fault = result.root == LeaseLib.SPEC_FAULT;
        bool inside = shard.index >= c.first && shard.index - c.first < lease_.claimed.count();
        bool shown = fault
            ? shard.hash == 0 && shard.units == 0 && shard.proof.length == 0
            : MerkleProof.verifyCalldata(shard.proof, result.root, ShardLib.leaf(shard.index, shard.hash, shard.units));
        require(inside && shown, ShardUnknown(c.id, c.first, shard.index));
    }
}
