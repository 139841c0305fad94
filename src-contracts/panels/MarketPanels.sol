// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Agreement} from "src-contracts/panels/Agreement.sol";
import {Panels} from "src-contracts/panels/Panels.sol";

/// @title The Market's part for several seats
/// @notice Panels and audits. The Market delegates their calls straight to it, so it acts on the Market's storage under the Market's address.
/// @dev WHY: 24 KiB; see `MarketExtension`. A call that ends here crosses one seam, about 2,700 gas.
contract MarketPanels is Panels, Agreement {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    /// @dev The domain of `JobsCore`.
    bytes32 private constant NAME_HASH = keccak256("DPU Market");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @param token DPU; the Market checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}

    /// @dev As OpenZeppelin's, without a look for a domain that was hashed at construction: this code never runs at its own address.
    function _hashTypedDataV4(bytes32 structHash) internal view override returns (bytes32 digest) {
        (bytes32 typehash, bytes32 name, bytes32 version) = (DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH);
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, typehash)
            mstore(add(at, 0x20), name)
            mstore(add(at, 0x40), version)
            mstore(add(at, 0x60), chainid())
            mstore(add(at, 0x80), address())
            let domain := keccak256(at, 0xa0)
            mstore(at, "\x19\x01")
            mstore(add(at, 0x02), domain)
            mstore(add(at, 0x22), structHash)
            digest := keccak256(at, 0x42)
        }
    }
}
