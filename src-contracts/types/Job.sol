// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice Where a job stands. `Leased`: one lease covers the whole job, so the job's slot holds that lease's word.
enum JobState {
    None,
    Open,
    Cancelled,
    Complete,
    Closed,
    Leased
}

/// @notice The one storage word of a job: `state 8 | at 40 | block 40 | cursor 24 | busy 24 | done 24 | left 96`.
/// @dev A lease that covers the whole job replaces this word by its own (`LeaseWord` with the SOLO flag, 0x80).
type JobWord is uint256;

/// @notice A job's word in memory.
struct Job {
    JobState state;
    /// When it was posted; once complete or closed, when that happened.
    uint40 at;
    /// Block of the post; the block after it seeds the draw.
    uint40 atBlock;
    /// Next shard that was never claimed.
    uint24 cursor;
    /// Shards under a living lease.
    uint24 busy;
    /// Shards settled.
    uint24 done;
    /// Escrow not yet paid out.
    uint96 left;
}

using JobLib for Job global;
using JobWordLib for JobWord global;

library JobLib {
    function pack(Job memory self) internal pure returns (JobWord) {
        return JobWord.wrap(
            (uint256(uint8(self.state)) << 248) | (uint256(self.at) << 208) | (uint256(self.atBlock) << 168)
                | (uint256(self.cursor) << 144) | (uint256(self.busy) << 120) | (uint256(self.done) << 96) | self.left
        );
    }
}

library JobWordLib {
    /// @notice The word that stays when a job has ended, so that its id never lives twice. `receipt_` is that of a lease that was the whole job,
    /// zero when it has none.
    function tombstone(JobState state_, uint256 at_, uint208 receipt_) internal pure returns (JobWord) {
        return JobWord.wrap((uint256(uint8(state_)) << 248) | (at_ << 208) | receipt_);
    }

    /// @notice The receipt in the tombstone of a job that is complete.
    function receipt(JobWord self) internal pure returns (uint208) {
        return uint208(JobWord.unwrap(self));
    }

    /// @notice The word of a job that opens now, with its first `cursor_` shards claimed before and `escrow` (96 bits) unpaid.
    function opened(uint256 cursor_, uint256 escrow) internal view returns (JobWord) {
        return JobWord.wrap(
            (uint256(JobState.Open) << 248) | (block.timestamp << 208) | (block.number << 168) | (cursor_ << 144)
                | escrow
        );
    }

    function state(JobWord self) internal pure returns (JobState) {
        uint256 tag = JobWord.unwrap(self) >> 248;
        return tag >= 0x80 ? JobState.Leased : JobState(tag);
    }

    /// @notice Whether a lease, or a panel, covers the whole job: then this is its word.
    function isLease(JobWord self) internal pure returns (bool) {
        return JobWord.unwrap(self) >> 255 != 0;
    }

    function at(JobWord self) internal pure returns (uint40) {
        return uint40(JobWord.unwrap(self) >> 208);
    }

    function atBlock(JobWord self) internal pure returns (uint40) {
        return uint40(JobWord.unwrap(self) >> 168);
    }

    function cursor(JobWord self) internal pure returns (uint24) {
        return uint24(JobWord.unwrap(self) >> 144);
    }

    function unpack(JobWord self) internal pure returns (Job memory job) {
        uint256 word = JobWord.unwrap(self);
        job.state = state(self);
        job.at = uint40(word >> 208);
        if (job.state == JobState.Complete || job.state == JobState.Closed) return job; // below is a receipt
        job.atBlock = uint40(word >> 168);
        job.cursor = uint24(word >> 144);
        job.busy = uint24(word >> 120);
        job.done = uint24(word >> 96);
        job.left = uint96(word);
    }
}
