// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Earned, IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {Lease, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @dev What the tests of credits need of a Market: work that was shown, work that was paid, and receipts.
interface IReceiptMaker is IReceipts {
    error NoReceipt(uint256 index);
    error NotRevealed(uint256 index);

    /// @dev A lease that can be settled, of a node owned by `owner`.
    function reveal(Terms calldata terms, Lease calldata lease, Result calldata result, address owner) external;

    function settle(Terms calldata terms, Lease[] calldata leases, Result[] calldata results) external;

    function setCredits(address credits) external;

    function treasury() external view returns (address);
}

/// @dev A Market that settles what it is told and keeps an honest receipt of it: each once, to the credits contract alone.
contract HonestReceipts is IReceiptMaker {
    address public immutable treasury;
    address private _credits;
    mapping(bytes32 receipt => address owner) private _revealed;
    mapping(bytes32 receipt => address owner) private _receipts;

    constructor(address treasury_) {
        treasury = treasury_;
    }

    function setCredits(address credits) external {
        _credits = credits;
    }

    function reveal(Terms calldata terms, Lease calldata lease, Result calldata result, address owner) external {
        _revealed[_receipt(terms, lease, result)] = owner;
    }

    function settle(Terms calldata terms, Lease[] calldata leases, Result[] calldata results) external {
        for (uint256 i; i < leases.length; ++i) {
            bytes32 receipt = _receipt(terms, leases[i], results[i]);
            address owner = _revealed[receipt];
            require(owner != address(0), NotRevealed(i));
            _revealed[receipt] = address(0);
            _receipts[receipt] = owner;
        }
    }

    function redeem(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        external
        virtual
        returns (Earned[] memory earned)
    {
        return _take(terms, leases, results);
    }

    function redeemPanel(Terms calldata terms, Lease[] calldata seats, Result[] calldata results)
        external
        virtual
        returns (Earned[] memory earned)
    {
        return _take(terms, seats, results);
    }

    function _take(Terms calldata terms, Lease[] calldata leases, Result[] calldata results)
        private
        returns (Earned[] memory earned)
    {
        require(msg.sender == _credits, NotCredits(msg.sender));
        earned = new Earned[](leases.length);
        for (uint256 i; i < leases.length; ++i) {
            bytes32 receipt = _receipt(terms, leases[i], results[i]);
            address owner = _receipts[receipt];
            require(owner != address(0), NoReceipt(i));
            _receipts[receipt] = address(0);
            Lease calldata l = leases[i];
            earned[i] = Earned(owner, l.claimed.node(), results[i].units, l.claimed.price(), l.claimed.count());
        }
    }

    function _receipt(Terms calldata terms, Lease calldata lease, Result calldata result)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(terms, lease, result));
    }
}
