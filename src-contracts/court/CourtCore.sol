// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parties} from "src-contracts/court/Parties.sol";
import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {Dispute, DisputeLib, DisputeState, DisputeWord, Testimony} from "src-contracts/types/Dispute.sol";
import {Lease} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What the parts of the court share: identity, words, times and sums of a dispute.
/// @dev WORDS: a dispute is one word, its bench another; votes that were shown one by one, and who appealed, have words only while they are needed.
/// TIME: a round's times are fixed when it begins, so that nothing has to be written when the last juror sits down.
abstract contract CourtCore is Parties, CourtFacts {
    /// @dev Seats of the first and of the second jury, and two thirds of each.
    uint256 internal constant FIRST_SEATS = 5;
    uint256 internal constant FIRST_QUORUM = 4;
    uint256 internal constant SECOND_SEATS = 11;
    uint256 internal constant SECOND_QUORUM = 8;
    /// @dev A juror's fee, and its bond, are this part of a shard's bond.
    uint256 internal constant FEE_PART = 8;
    /// @dev The challenger's bond: the jury, and as much again for those whom it wrongs.
    uint256 internal constant CHALLENGE_FEES = 10;

    /// @dev A dispute that a call is about.
    struct Case {
        bytes32 id;
        bytes32 key;
        uint32 first;
        uint256 fee;
        Dispute d;
    }

    /* INTERNAL: identity and words */

    /// @dev The claim's word has its deadline in it, so a lease that its holder takes a second time is another one.
    function _disputeKey(bytes32 id, Lease calldata lease_, uint32 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(id, lease_.first(), lease_.claimed, index, "dispute"));
    }

    function _case(Terms calldata terms, Lease calldata lease_, uint32 index, DisputeState needed)
        internal
        view
        returns (Case memory c)
    {
        (c.id, c.first, c.fee) = (_jobId(terms), lease_.first(), terms.bond() / FEE_PART);
        c.key = _disputeKey(c.id, lease_, index);
        c.d = DisputeWord.wrap(_words[c.key]).unpack();
        require(c.d.state == needed, DisputeInState(c.key, c.d.state, needed));
    }

    function _setDispute(Case memory c) internal {
        _words[c.key] = DisputeWord.unwrap(c.d.pack());
    }

    /// @dev Where the bench of a round is found by `_loadBench`.
    function _juryKey(bytes32 key, uint8 round) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, round, "jury"));
    }

    function _loadJury(Case memory c) internal view returns (Bench) {
        return _loadBench(_juryKey(c.key, c.d.round));
    }

    /// @dev Where votes are that were shown one by one: three bits for each place.
    function _votesKey(bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, "votes"));
    }

    function _appellantKey(bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, "appellant"));
    }

    function _challenger(Dispute memory d) internal pure returns (Party memory) {
        if (!d.has(DisputeLib.BY_NODE)) return Party(d.challenger, 0);
        return Party(address(0), uint32(uint160(d.challenger))); // written as a node's id
    }

    /// @dev Who called the second jury. An account is 160 bits; a node's id stands above them.
    function _appellant(bytes32 key) internal view returns (Party memory) {
        uint256 word = _words[_appellantKey(key)];
        return Party(address(uint160(word)), uint32(word >> 160));
    }

    function _testimonyOf(bytes32 key, uint8 round, Testimony calldata said) internal pure returns (bytes32) {
        return
            keccak256(abi.encode(key, round, said.node, said.verdict, said.hash, said.units, said.evidence, said.salt));
    }

    /* INTERNAL: sums and times */

    function _seatsOf(uint8 round) internal pure returns (uint256 seats, uint256 quorum) {
        return round == 1 ? (FIRST_SEATS, FIRST_QUORUM) : (SECOND_SEATS, SECOND_QUORUM);
    }

    /// @dev Last second to sit down: as long as a lease of this job may take, and a reveal window more to be drawn.
    function _serveUntil(Terms calldata terms, Dispute memory d) internal pure returns (uint256) {
        return uint256(d.at) + terms.exec() + terms.rules.revealWindow();
    }

    /// @dev Last second to speak.
    function _speakUntil(Terms calldata terms, Dispute memory d) internal pure returns (uint256) {
        return _serveUntil(terms, d) + terms.rules.revealWindow();
    }

    /// @dev Last second to appeal; the second of the judgement counts, so that two rounds and this take five reveal windows.
    function _appealUntil(Terms calldata terms, Dispute memory d) internal pure returns (uint256) {
        return d.round == 1 ? d.at + terms.rules.revealWindow() - 1 : 0;
    }

    /// @dev Checks that jurors may speak: no seat is left, or nobody may sit down any more.
    function _requireServed(Case memory c, Terms calldata terms, uint256 served) internal view {
        (uint256 seats,) = _seatsOf(c.d.round);
        uint256 until = _serveUntil(terms, c.d);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(served == seats || block.timestamp > until, TooEarly(c.id, c.first, uint40(until + 1))); // a time
    }

    /* INTERNAL: sitting down */

    /// @dev Whether the node can compute the job, whoever the job was meant for.
    function _mayServe(Terms calldata terms, Node storage n) internal view returns (bool) {
        return n.runtimes & (uint32(1) << terms.runtime()) != 0
            && (terms.tier() == 0 || (n.tier >= terms.tier() && block.timestamp <= n.tierUntil));
    }

    /// @dev Whether an owner has a side in the dispute, or the node sits beside the judged seat.
    function _isParty(Case memory c, Terms calldata terms, Lease calldata lease_, uint32 nodeId, address owner)
        internal
        view
        returns (bool)
    {
        if (
            owner == terms.requester() || owner == _nodes[lease_.claimed.node()].owner
                || owner == _ownerOf(_challenger(c.d))
        ) return true;
        if (c.d.round == 2 && owner == _ownerOf(_appellant(c.key))) return true;
        if (!c.d.has(DisputeLib.SEATED)) return false;
        bytes32 range = _rangeOf(c.id, lease_);
        (bool stranger,) = _loadBench(range).placeFor(BenchLib.printOf(range, nodeId));
        return !stranger;
    }

    function _drawnFrom(Case memory c, Terms calldata terms, uint32 nodeId, Node storage n)
        internal
        view
        returns (uint256)
    {
        (uint256 seats,) = _seatsOf(c.d.round);
        return _sortition(terms, seats, c.key, c.d.round, nodeId, n, c.d.atBlock, c.d.at, c.d.at);
    }

    /// @dev The place that a node would take. Who sat in the first jury is not free for the second.
    function _placeFor(Case memory c, uint32 nodeId)
        internal
        view
        returns (bool free, uint256 place, uint256 print, Bench bench)
    {
        print = BenchLib.printOf(c.key, nodeId);
        bench = _loadJury(c);
        (free, place) = bench.placeFor(print);
        if (!free && place == BenchLib.PLACES) free = true; // full, and it does not sit there
        if (free && c.d.round == 2) (free,) = _loadBench(_juryKey(c.key, 1)).placeFor(print);
    }
}
