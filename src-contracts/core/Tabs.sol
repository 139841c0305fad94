// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {JobsCore} from "src-contracts/core/JobsCore.sol";
import {Tab, TabWord} from "src-contracts/types/Dispute.sol";
import {LeaseWord, LeaseWordLib} from "src-contracts/types/Lease.sol";

/// @notice What juries have found about a lease, and taken of its bond, while it still stands: a word of its own, which only leases have whose word is
/// marked `TRIMMED`. Everybody else pays a bit test for it.
abstract contract Tabs is JobsCore {
    /// @dev Where the tab of the lease or seat at `key` is.
    function _tabKey(bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, "tab"));
    }

    function _loadTab(bytes32 key, LeaseWord word) internal view returns (Tab memory tab) {
        if (word.flags() & LeaseWordLib.TRIMMED != 0) tab = TabWord.wrap(_words[_tabKey(key)]).unpack();
    }

    function _setTab(bytes32 key, Tab memory tab) internal {
        _words[_tabKey(key)] = TabWord.unwrap(tab.pack());
    }

    /// @dev What is gone of the bond of the lease at `key`, which ends; its tab is closed.
    function _closeTab(bytes32 key, LeaseWord word) internal returns (uint256 taken) {
        if (word.flags() & LeaseWordLib.TRIMMED == 0) return 0;
        taken = _loadTab(key, word).taken;
        _words[_tabKey(key)] = 0;
    }
}
