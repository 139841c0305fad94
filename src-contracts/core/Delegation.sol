// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

/// @dev Delegates the current call to `code`; returns or reverts with what that says.
function delegateAll(address code) {
    assembly ("memory-safe") {
        let at := mload(0x40)
        calldatacopy(at, 0, calldatasize())
        let ok := delegatecall(gas(), code, at, calldatasize(), 0, 0)
        returndatacopy(at, 0, returndatasize())
        switch ok
        case 0 { revert(at, returndatasize()) }
        default { return(at, returndatasize()) }
    }
}
