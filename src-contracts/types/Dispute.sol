// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice What a juror says, and what a jury finds.
enum Verdict {
    /// A juror has not spoken; a jury did not come together, so nothing was found.
    None,
    /// What the node showed is right, under the spec's comparator.
    Valid,
    /// It is right, but its data was out of reach, so the jurors published it.
    Withheld,
    /// It is wrong.
    Invalid,
    /// The job cannot be judged as it is described. No jury finds this of a node that says so itself: then that is `Valid`.
    SpecFault,
    /// A jury came, and two thirds of it agree on nothing. No juror says this.
    Undecided
}

/// @notice Where a dispute stands.
enum DisputeState {
    None,
    /// Jurors serve, then speak.
    Serving,
    /// The round's votes are counted.
    Judged,
    /// The verdict is carried out. It stays, so that no shard of a lease is judged twice.
    Ended
}

/// @notice One shard of a result, with the proof that it is under its root.
struct Shard {
    /// Its number in the job.
    uint32 index;
    bytes32 hash;
    uint64 units;
    bytes32[] proof;
}

/// @notice What one juror has to say.
struct Testimony {
    uint32 node;
    /// `None` when it is silent here, or has spoken before.
    Verdict verdict;
    /// What it computed itself.
    bytes32 hash;
    uint64 units;
    /// Digest of what it published; zero when nothing.
    bytes32 evidence;
    /// The salt of its commitment; where the verdict is `None`, the commitment itself.
    bytes32 salt;
}

/// @notice A juror and what it is bound to.
struct Juror {
    uint32 node;
    bytes32 commitment;
}

/// @notice The one storage word of a dispute: `state 2 | round 2 | verdict 3 | marks 5 | paid 4 | paidAgain 4 | at 40 | atBlock 36 | challenger 160`.
type DisputeWord is uint256;

/// @notice A dispute in memory.
struct Dispute {
    DisputeState state;
    /// 1, or 2 after an appeal.
    uint8 round;
    /// What stands: the first jury's finding, or that of the second where it has a quorum.
    Verdict verdict;
    /// `BY_NODE`, `CLAIMS_FAULT`, `SPOKEN`, `SEATED`, `OVERTURNED`.
    uint8 marks;
    /// Jurors paid in the first and in the second round.
    uint8 paid;
    uint8 paidAgain;
    /// When the round began; once judged, when it was.
    uint40 at;
    /// Block in which the round began; the one after it draws the jurors.
    uint40 atBlock;
    /// Who challenged: an account, or the id of a node (`BY_NODE`).
    address challenger;
}

/// @notice What juries have found about a lease and taken of its bond so far: `payee 160 | taken 93 | worst 3`.
type TabWord is uint256;

/// @notice A tab in memory.
struct Tab {
    /// Owner of the first challenge with the gravest verdict.
    address payee;
    /// DPU wei of the bond that is gone.
    uint256 taken;
    /// The gravest verdict.
    Verdict worst;
}

using DisputeLib for Dispute global;
using DisputeWordLib for DisputeWord global;
using TabLib for Tab global;
using TabWordLib for TabWord global;

library ShardLib {
    /// @notice The leaf of a shard under a result's root.
    function leaf(uint32 index, bytes32 hash, uint64 units) internal pure returns (bytes32) {
        // Hashed twice, so that no inner node of a tree can pass for a leaf.
        return keccak256(bytes.concat(keccak256(abi.encode(index, hash, units))));
    }
}

library VerdictLib {
    /// @notice Whether a juror may say so.
    function isVote(Verdict self) internal pure returns (bool) {
        return self != Verdict.None && self != Verdict.Undecided;
    }

    /// @notice The graver of two verdicts about shards of one lease. What ends the lease is graver than what leaves it standing; what costs its bond is
    /// gravest.
    function graver(Verdict one, Verdict other) internal pure returns (Verdict) {
        return _gravity(other) > _gravity(one) ? other : one;
    }

    function _gravity(Verdict verdict) private pure returns (uint256) {
        if (verdict == Verdict.Invalid) return 5;
        if (verdict == Verdict.SpecFault) return 4;
        return verdict == Verdict.Undecided ? 3 : uint256(verdict);
    }
}

library DisputeLib {
    /// The bond comes from a node's stake.
    uint8 internal constant BY_NODE = 1;
    /// The result says that the job cannot be done.
    uint8 internal constant CLAIMS_FAULT = 2;
    /// Some juror of this round spoke by itself: the votes are in a word of their own.
    uint8 internal constant SPOKEN = 4;
    /// The lease is a seat among several: its neighbours are no jurors.
    uint8 internal constant SEATED = 8;
    /// The second jury found something else than the first.
    uint8 internal constant OVERTURNED = 16;

    function pack(Dispute memory self) internal pure returns (DisputeWord) {
        uint256 head = (uint256(self.state) << 254) | (uint256(self.round) << 252) | (uint256(self.verdict) << 249)
            | (uint256(self.marks) << 244) | (uint256(self.paid) << 240) | (uint256(self.paidAgain) << 236);
        // 36 bits count blocks for centuries.
        return DisputeWord.wrap(
            head | (uint256(self.at) << 196) | (uint256(self.atBlock & 0xfffffffff) << 160) | uint160(self.challenger)
        );
    }

    function has(Dispute memory self, uint8 mark) internal pure returns (bool) {
        return self.marks & mark != 0;
    }
}

library DisputeWordLib {
    function unpack(DisputeWord self) internal pure returns (Dispute memory d) {
        uint256 word = DisputeWord.unwrap(self);
        d.state = DisputeState(word >> 254);
        d.round = uint8(word >> 252) & 3;
        d.verdict = Verdict((word >> 249) & 7);
        d.marks = uint8(word >> 244) & 0x1f;
        d.paid = uint8(word >> 240) & 0x0f;
        d.paidAgain = uint8(word >> 236) & 0x0f;
        d.at = uint40(word >> 196);
        d.atBlock = uint40(word >> 160) & 0xfffffffff;
        d.challenger = address(uint160(word));
    }
}

library TabLib {
    function pack(Tab memory self) internal pure returns (TabWord) {
        return TabWord.wrap((uint256(uint160(self.payee)) << 96) | (self.taken << 3) | uint256(self.worst));
    }
}

library TabWordLib {
    function unpack(TabWord self) internal pure returns (Tab memory tab) {
        uint256 word = TabWord.unwrap(self);
        tab.payee = address(uint160(word >> 96));
        tab.taken = (word >> 3) & ((1 << 93) - 1); // the supply of DPU is below 2^90
        tab.worst = Verdict(word & 7);
    }
}
